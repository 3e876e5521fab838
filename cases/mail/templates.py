"""The templates of mail, compiled once for each language.

Half of what a template writes are words of ours that read the same in every mail of a language: labels, greetings,
sentences without a gap. They are translated as the template is compiled, not again in each mail.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any

from django.template import Context, Node, NodeList, Template
from django.template.base import TextNode, VariableNode
from django.template.defaulttags import AutoEscapeControlNode, FilterNode, IfNode
from django.template.loader import get_template
from django.templatetags.i18n import BlockTranslateNode, TranslateNode
from django.utils import translation


@lru_cache(maxsize=1_000)
def template_in(language: str, name: str) -> Template:
    """The template of this name, for this language only. Raises TemplateDoesNotExist."""
    shared: Template = get_template(name).template  # type: ignore[attr-defined]
    return translated(Template(shared.source, shared.origin, shared.name, shared.engine), language)


def translated(template: Template, language: str) -> Template:
    """The template, changed so that it is for this language only."""
    context = Context()
    with translation.override(language), context.bind_template(template):
        template.nodelist = _translated(template.nodelist, context)
    return template


def _translated(nodes: NodeList, context: Context) -> NodeList:
    """The nodes, but for each that always writes the same what it writes; `context` has what is set so far."""
    result = NodeList()
    text = ""  # that is written between two nodes of the result
    for node in nodes:
        _translate_inside(node, context)
        if _is_constant(node, context):
            text += str(node.render_annotated(context))
            if not _sets_variable(node):
                continue
        result += [TextNode(text), node] if text else [node]
        text = ""
    return NodeList([*result, TextNode(text)] if text else result)


def _translate_inside(node: Node, context: Context) -> None:
    if isinstance(node, AutoEscapeControlNode):
        escapes, context.autoescape = context.autoescape, node.setting
        node.nodelist = _translated(node.nodelist, context)
        context.autoescape = escapes
    elif isinstance(node, IfNode):
        node.conditions_nodelists = [(when, _in_scope(inside, context)) for when, inside in node.conditions_nodelists]
    else:
        for name in node.child_nodelists:
            if inside := getattr(node, name, None):
                setattr(node, name, _in_scope(inside, context))


def _in_scope(nodes: NodeList, context: Context) -> NodeList:
    """As `_translated`; what is set in a part that may not be rendered is not known after it."""
    with context.push():
        return _translated(nodes, context)


def _is_constant(node: Any, context: Context) -> bool:
    """Whether a node writes the same in every mail of a language."""
    if isinstance(node, TextNode):
        return True
    if isinstance(node, TranslateNode):
        return _is_literal(node.filter_expression) and _is_literal(node.message_context)
    if isinstance(node, BlockTranslateNode):
        no_gap = all(token.token_type.name == "TEXT" for token in node.singular)
        return no_gap and not (node.plural or node.extra_context or node.asvar or node.message_context)
    if isinstance(node, FilterNode):
        return all(isinstance(inside, TextNode) for inside in node.nodelist)
    if isinstance(node, VariableNode):
        asked = node.filter_expression
        return not asked.filters and getattr(asked.var, "var", "") in context
    return False


def _sets_variable(node: Node) -> bool:
    """Whether it sets a variable instead of writing something. It stays, for conditions that ask for the variable, and
    nothing else in a template sets that name.
    """
    return isinstance(node, TranslateNode) and bool(node.asvar)


def _is_literal(expression: Any) -> bool:
    if expression is None:
        return True
    return not expression.filters and (isinstance(expression.var, str) or expression.var.lookups is None)
