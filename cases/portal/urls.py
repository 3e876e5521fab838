"""The addresses of the support page."""

from django.urls import path

from cases.portal import chat, pages, views

app_name = "support"
urlpatterns = [
    path("", pages.case_list, name="home"),
    path("cases/new/", pages.open_case, name="open"),
    path("cases/<int:case_id>/", pages.case_page, name="case"),
    path("cases/<int:case_id>/answer/", pages.answer, name="answer"),
    path("cases/<int:case_id>/solved/", pages.solved, name="solved"),
    path("cases/<int:case_id>/not-before/", pages.not_before, name="not_before"),
    path("cases/<int:case_id>/escalate/", pages.escalate, name="escalate"),
    path("cases/<int:case_id>/files/<int:file_id>/<str:name>", pages.file, name="file"),
    path("cases/<int:case_id>/chat/", chat.page, name="chat"),
    path("cases/<int:case_id>/chat/lines/", chat.lines, name="chat_lines"),
    path("cases/<int:case_id>/chat/say/", chat.say, name="chat_say"),
    path("cases/<int:case_id>/chat/leave/", chat.leave, name="chat_leave"),
    path("cases/<int:case_id>/chat/transcript/", chat.transcript, name="chat_transcript"),
    path("chat/", chat.new_question, name="chat_new"),
    path("sign-in/", views.sign_in, name="sign_in"),
    path("sign-in/code/", views.code, name="code"),
    path("sign-in/again/", views.other_address, name="other_address"),
    path("sign-in/passkey/", views.passkey, name="passkey"),
    path("passkeys/", views.passkeys, name="passkeys"),
    path("passkeys/options/", views.passkey_options, name="passkey_options"),
    path("passkeys/<int:key>/remove/", views.remove_passkey, name="remove_passkey"),
    path("sign-out/", views.sign_out, name="sign_out"),
    path("company/", views.company, name="company"),
]
