"""What bounces, absence notes and automatic answers say, in eight languages. Texts are given in NFKC, on one line."""

from __future__ import annotations

import re


def _any(phrases: str, start: bool = False) -> re.Pattern[str]:
    """One of the phrases, each a pattern; " | " stands between two of them, and any blank is one blank."""
    joined = "|".join(" ".join(phrases.split()).split(" | "))
    return re.compile(rf"^[\W_]*(?:{joined})" if start else rf"(?:{joined})", re.IGNORECASE)


#: A subject of somebody who answers or passes on another mail.
ANSWERS = re.compile(
    r"^[\W_]*(?:re|aw|antw|sv|rv|rif|r|res|ynt|fw|fwd|wg|tr|i|enc|doorst|回复|転送|返信)\s?(?:\[\d+\]|\(\d+\))?\s?[:：]",
    re.IGNORECASE,
)

# Bounces ------------------------------------------------------------------------------------------------------------

#: The part before the @ of a mail server that writes.
MAIL_SERVER = re.compile(
    r"^(?:.*[._+-])?(?:mailer-?_?daemon|post[-_]?master|mdaemon|mailerdaemon|mail-?daemon|daemon"
    r"|microsoftexchange[0-9a-f]{6,}|mailadmin"
    r"|mail\.?delivery|mail-?system|mailsystem|double-?bounce|bounces?|bounce-.*|mmdf|uucp|smtp(?:-server)?|mta"
    r"|bouncehandler)(?:[._+-].*)?$",
    re.IGNORECASE,
)
#: Nobody writes by hand from these; a postmaster may.
DAEMON = re.compile(r"mailer-?_?daemon@|microsoftexchange[0-9a-f]{8,}@", re.IGNORECASE)
ABUSE_SUBJECT = re.compile(r"\s*complaint about message from [\d.x]+", re.IGNORECASE)
MAIL_SERVER_NAME = _any(
    r"""mail(?:er)?[ -]?(?:delivery|daemon|administrator) | delivery (?:sub)?system | ^\W*microsoft outlook\W*$ |
    ^\W*(?:system[ -]?administrator|systemadministrator|administrateur syst|administrador del sistema|amministratore
    di sistema) | postmaster | internet mail (?:delivery|server) | mail (?:server|system) | \bMTA\b | メール配信""",
)

BOUNCE_SUBJECT = _any(
    r"""undeliver(?:able|ed) | un-?deliverable | non[- ]?deliver | (?:mail )?deliver(?:y|ing) (?:has |of .{1,60}
    )?(?:failed|fail|error|problem) | (?:mail|message|e-?mail)? ?delivery (?:failure|failed|report|status
    notification|notification|problem) | failure notice | returned (?:mail|to sender|message) | mail (?:system
    )?error | could ?n[o']t (?:be )?(?:deliver|sen[dt]) | not (?:be )?delivered | returning message to sender | user
    unknown | mail returned | message (?:you sent )?(?:blocked|rejected|undeliver) | delivery status notification
    ?\(fail | considered unsolicited | \bndn\b | \bndr\b | nondelivery | mailbox (?:is )?(?:full|unavailable) |
    email delivery failure | rejected: | bounced? mail | unzustellbar | nicht zustellbar | unzustellbare |
    zustellung fehlgeschlagen | zustellfehler | zustellungs?fehler | fehler bei der
    (?:nachrichten)?(?:zustellung|übermittlung) | nicht zugestellt | échec de (?:la
    )?(?:remise|distribution|livraison) | non remis | (?:courrier|message) non (?:remis|distribué|délivré) | non
    distribuable | no se (?:puede|pudo|ha podido) entregar | no entregado | error de entrega | devuelto al remitente
    | fallo (?:de|en la) entrega | mensaje no entregado | non recapitabile | mancat[ao] (?:consegna|recapito) |
    (?:messaggio|posta) non (?:consegnat|recapitat) | consegna non riuscita | avviso di mancata consegna | não é
    possível entregar | não entregue | falha (?:na|de) entrega | não foi possível entregar | devolvida ao remetente
    | niet bestelbaar | onbestelbaar | niet bezorgd | niet afgeleverd | kan niet worden (?:bezorgd|afgeleverd) |
    bezorgen mislukt | 配信不能 | 配信エラー | 配信できません | 配信に失敗 | メールエラー
    | 邮件传输失败 | 系统退信 | 无法投递 | 投递失败 | failed mail
    | processing error | 送信エラー | 未配信 | 不達 | メールが届きません | delivery failure | mail
    failure | warning: e-?mail (?:could not|not) | e-?mail message not delivered""",
)

#: What is still on its way.
DELAY_SUBJECT = _any(
    r"""delivery (?:status notification ?\(delay\)|delayed|has been delayed|is delayed|delay) | delayed
    (?:mail|delivery|message) | could not send message for past | message .{1,60} delayed | mail delayed | message
    delayed | still being (?:re)?tried | warning: message .{1,60}(?:delayed|not delivered) | verzögert | zustellung
    verzögert | retardée? | retrasad[oa] | entrega (?:atrasada|adiada|retardada) | (?:in ritardo|ritardat[oa]) |
    vertraagd | 配信の遅延 | 配信遅延 | 遅延""",
)
DELAY = _any(
    r"""will (?:keep|continue) (?:on )?(?:trying|to (?:re)?try) | will be retried | will retry for | do(?:es)? not need
    to resend | no need to (?:re-?send|retry) | warning message only | has not yet been (?:delivered|collected)
    | still undelivered | attempts will continue | not yet been delivered | delivery to the following recipients?
    (?:has been|is) delayed | (?:has|have) been delayed | is delayed\b | temporar(?:y|ily)
    (?:problem|undeliver|failure)[^.]{0,80}(?:retry|try|again) | (?:wird|werden) weiter(?:hin)? versucht | noch
    nicht zugestellt | n'a pas encore (?:pu être|été) | aún no se ha (?:podido )?entrega | se seguirá intentando |
    non è (?:stato )?ancora (?:stato )?(?:consegn|recapit) | ainda não foi entregue | continuaremos a tentar | nog
    niet (?:bezorgd|afgeleverd) | blijven (?:we|wij) proberen | まだ配信されていません | 再送を試み | 再試行します""",
)
PERMANENT = _any(
    r"""permanent(?:ly)? (?:fatal )?(?:error|failure|fail) | failed permanently | giv(?:en|ing) up | will not be retried
    | no further attempts? | could not be delivered for | retry (?:time|timeout) (?:not reached|exceeded) | has been
    returned | fatal errors? | action: failed | exceeded the maximum | has expired | delivery attempts? (?:have |has
    )?(?:expired|failed) | is being returned""",
)
FAILURE = _any(
    r"""(?:could|can|cannot|can't|couldn't|was|were|is|did|has|have|be) ?(?:not|n't)? ?(?:able to )?(?:be |been
    )?(?:un)?deliver(?:ed|able)? ?(?:to|because|for|your) | could(?: not|n't) be (?:delivered|sent) | can(?:
    ?not|'t) be delivered | (?:wasn't|was not|were not|weren't|not been|not) (?:successfully )?delivered |
    (?:unable|not able|wasn't able|failed) to (?:be )?deliver | undeliver(?:able|ed) | delivery (?:to .{1,200}?
    )?(?:has |have )?fail(?:ed|ure) | did not reach | (?:following|these)
    (?:address(?:\(?es\)?)?|recipients?|users?).{0,80}(?:fail|error|problem|reject|unknown|invalid) |
    (?:user|recipient|mailbox|account|address) (?:is )?(?:unknown|not
    found|unavailable|disabled|invalid|inactive|rejected|suspended|full) | (?:unknown|no such|invalid|inactive)
    (?:local |virtual )?(?:user|recipient|mailbox|address|domain|account|person|host) | no mailbox (?:here )?by that
    name | over ?quota|quota (?:is |has been )?exceeded|exceed(?:s|ed)? (?:.{1,30} )?quota | mailbox (?:is )?full |
    (?:host|domain|name) (?:unknown|not found|lookup) | not listed in | not found in .{0,40}director | returned
    (?:to (?:you|sender)|undelivered) | permanent(?:ly)? (?:fatal )?(?:error|failure) | (?:was|been|is)
    (?:rejected|blocked|refused) | rejected (?:your|the|by|as) | does(?: not|n't) (?:exist|have an? (?:\S+
    )?account) | couldn't be found | relay(?:ing)? (?:access )?denied | problem(?:s)? (?:while )?deliver | delivery
    error | failed addresses | delivery attempts? | error(?: occurred)?(?: was detected)? (?:while|when|in)
    (?:trying to )?(?:deliver|sending|process) | not (?:a )?(?:known|valid) (?:user|recipient|address|mailbox) |
    (?:nicht|konnte nicht|kann nicht).{0,40}(?:zugestellt|übermittelt|ausgeliefert) werden | nicht zugestellt |
    fehler bei der (?:nachrichten)?(?:zustellung|übermittlung) | unzustellbar | empfänger (?:ist
    )?(?:unbekannt|nicht gefunden) | postfach (?:ist )?voll | nicht erreicht | zustellung
    .{0,60}(?:fehlgeschlagen|nicht möglich) | n'a(?:vons)? (?:pas |pu )+(?:pu )?(?:être
    )?(?:remis|distribu|délivr|livr|envoy) | échec de la remise | n'a pas atteint | utilisateur inconnu | boîte
    .{0,30}pleine | impossible de (?:remettre|distribuer|livrer) | no (?:se )?(?:pudo|puede|ha podido|pudimos)
    (?:ser )?(?:entrega|envia) | no (?:ha|fue|llegó|entregad)\w* ?(?:sido )?entregad | usuario desconocido | buzón
    .{0,20}lleno | impossibile (?:recapitare|consegnare) | non (?:è stato|può essere|ha
    raggiunto|recapitat|consegnat)\w*.{0,30}(?:consegn|recapit|destinatar) | casella .{0,20}piena | utente
    sconosciuto | não (?:foi|é|pôde|pode)(?: possível| ser| sido)* ?(?:entregar|entregue) | não entregue | caixa
    .{0,30}cheia | (?:kan|kon|is|kunnen) niet .{0,30}(?:bezorgd|afgeleverd|besteld) | niet (?:worden
    )?(?:bezorgd|afgeleverd) | onbestelbaar | mailbox (?:is )?vol | 无法(?:发送|送达|投递) | 投递失败
    | has been returned because
    | did not (?:exactly )?match an
    | 配信できません | 配信されません
    | 届きません | 配達できません | 送信できません |
    配信不能 | 配信に失敗 | 存在しません | 宛先不明 | 容量.{0,10}(?:超え|超過) | お届けできません""",
)
#: A refusal of SMTP: "550 5.1.1", "#5.1.1", "554-".
REFUSED_BY_SMTP = re.compile(
    r"(?<![\d.])(?:5[0-7]\d[ -]\W{0,3}5\.\d{1,3}\.\d{1,3}|#?5\.\d{1,3}\.\d{1,3}\b(?![.\d])|55[0-4][ :-](?!\d))"
)
#: The same where a person may have written: "5.1.1" alone is a version too.
REFUSED_IN_FULL = re.compile(
    r"(?<![\d.])(?:5[0-7]\d[ -]\W{0,3}5\.\d{1,3}\.\d{1,3}|#5\.\d{1,3}\.\d{1,3}|55[0-4][ :-](?!\d))"
)
#: How people begin.
GREETING = re.compile(
    r"[\W_]*(?:hi|hello|dear|good (?:morning|day|afternoon|evening)|hallo|guten|sehr geehrte|liebe|moin|bonjour"
    r"|bonsoir|madame|hola|buen|estimad|ciao|buon|gentil|salve|olá|bom dia|boa|prezad|car[oa]s?\b|beste|geachte|goede"
    r"|dag\b|お世話|こんにちは|いつも)",
    re.IGNORECASE,
)
#: How the programs begin that send neither a report nor a refusal's code.
STOCK_FAILURE = _any(
    r"""(?:following|your|this) (?:e?-?mail|message)?.{0,40}(?:could|can|was)(?:n't| ?not) (?:be )?(?:delivered|sent)
    | (?:e-?mail|mail|message) below (?:could|was) ?not (?:be )?delivered"""
)
#: Above what a bounce returns.
RETURNED = re.compile(
    r"^[\W_]*(?:(?:below this line|this is|here is|the following is|included|enclosed) .{0,40}(?:copy|header"
    r"|message|mail)"
    r"|.{0,12}(?:original|returned|unsent|undelivered|failed|rejected|your) (?:message|mail|e-?mail)(?: (?:headers?"
    r"|follows|text|body|below|attached)).{0,20}"
    r"|original message(?: headers?)?|original mail|message header|(?:the )?headers? (?:and|of) .{0,40}|transcript "
    r"of .{0,30}|original-?nachricht(?:enkopfzeilen)?"
    r"|en-têtes .{0,30}|encabezados .{0,40}|intestazioni .{0,40}|cabeçalhos .{0,40}|oorspronkelijke .{0,30}"
    r"|元のメッセージ.{0,12})[\W_]*$",
    re.IGNORECASE,
)

# Automatic answers --------------------------------------------------------------------------------------------------

#: A machine answers; what it says tells what.
AUTOMATIC_SUBJECT = _any(
    r"""auto(?:matic|mated|mat)?[ -]?(?:reply|response|responder|answer|respond) | autoreply | auto: |
    auto-?(?:antwort|respuesta|risposta|resposta) | automatische? antwort | automatisch(?:e)?
    (?:antwoord|bericht|reactie|afwezigheidsbericht) | antwort automatisch | réponse automatique | respuesta
    automática | risposta automatica | resposta automática | 自動(?:応答|返信|回答) | \[auto[- ]?reply\] | thank you for
    (?:contacting|your (?:request|enquiry|inquiry)) | \[?auto(?:matic)? (?:notification|acknowledg) |
    eingangsbestätigung | accusé de réception | acuse de recibo""",
    start=True,
)
ABSENCE_SUBJECT = _any(
    r"""out[ -]?of[ -]?(?:the[ -]?)?office | ooo\b | away from (?:my|the) (?:mail|e-?mail|office|desk) |
    abwesen(?:d|heit)\w* | on (?:vacation|holiday|leave|annual leave) | vacation | i am (?:away|on|out) | nicht im
    (?:büro|haus) | im urlaub | urlaub\b | absence\b | absent | message d'absence | en congé | ausencia | fuera de
    (?:la )?oficina | ausente | assen(?:te|za) | fuori (?:ufficio|sede) | ausência | fora do escritório | afwezig |
    niet aanwezig | 不在 | 休暇 | auto: .{1,60} is out of the office | (?:.{1,40} )?is out of the office | on maternity
    leave | in elternzeit""",
    start=True,
)
AWAY = _any(
    r"""\bout[ -]of[ -](?:the[ -])?office | \baway (?:from|until|till|on|for|between|this|next|and) | \bon (?:\w+
    ){0,2}(?:leave|vacation|holidays?|pto|sick leave|business trip|travel)\b | \bannual leave | not (?:be )?in the
    office | (?:office|we|plant|company) (?:\w+ ){0,2}(?:is|are|will be) closed | will (?:not|be) (?:be
    )?(?:back|return(?:ing)?|unavailable) | \bout (?:until|till|today|from)\b | (?:will not|won't|not) be
    (?:reading|checking|able to (?:read|check|answer|respond|reply)|available|reachable) | limited
    (?:access|availability) | \bi(?:'m| am| will be|'ll be) (?:currently
    )?(?:away|out|absent|travell?ing|unavailable)\b | no longer (?:works?|working|with|employed) | has left (?:the
    company|us) | (?:currently|presently) (?:away|out|unavailable|absent) | \bparental leave | maternity leave |
    return(?:ing)? to (?:the )?(?:office|work) | \bback (?:in the office|on|at work) | \babwesen(?:d|heit) | nicht
    (?:\w+ ){0,3}(?:im büro|im buero|im hause?|am arbeitsplatz|erreichbar|verfügbar|anwesend) | im (?:\w+ )?urlaub |
    auf (?:dienst|geschäfts)reise | in elternzeit | (?:außer|ausser) haus | wieder (?:im
    büro|erreichbar|da\b|zurück|für sie) | nicht mehr (?:im unternehmen|für|bei) | betriebs(?:ferien|ruhe|urlaub) |
    nicht im büro | krankheitsbedingt | absente?s? (?:du|jusqu|pour|de|et|actuellement) | (?:suis|serai|sommes)
    (?:\w+ )?(?:absente?s?|en (?:\w+ )?(?:congés?|vacances|déplacement|formation|arrêt)) | en (?:congés?|vacances) |
    de retour (?:le|au|à partir) | hors du bureau | ne (?:fait|fais|travaille) plus | fuera de (?:la |mi )?oficina |
    de vacaciones | estoy (?:ausente|fuera|de (?:baja|viaje|permiso|vacaciones)) | estaré (?:ausente|fuera|de) | ya
    no trabaja | ausente (?:hasta|de|del) | fuera del? (?:la )?(?:oficina|despacho) | fuori (?:ufficio|sede) |
    (?:sono|sarò) (?:\w+ )?(?:assente|fuori|in ferie|in (?:\w+ )?(?:trasferta|vacanza|malattia|congedo)) | in
    (?:ferie|vacanza) | assente (?:dal|fino|per) | rientr(?:erò|o) (?:il|in|dal) | uffici(?:o)?
    (?:è|sono|resterà|rimarr)\w* chius | ausente (?:do|até|de|no|entre) | (?:estou|estarei) (?:\w+
    )?(?:ausente|fora|de férias|em (?:férias|viagem|licença)) | (?:de|em) férias | fora do escritório | de licença |
    \bafwezig\b | (?:ben|zijn) (?:\w+ ){0,4}(?:niet aanwezig|niet bereikbaar|op vakantie|met (?:\w+
    )?(?:vakantie|verlof)|op zakenreis) | met (?:vakantie|verlof) | niet op kantoor | buiten kantoor | weer
    (?:terug|aanwezig|bereikbaar) | 不在 | 休暇 | 休業 | お休み | 出張 | 休みを | 留守に | 席を外して | 退職 | 育休""",
)
#: How notes begin that nobody writes by hand.
THANKS = _any(
    r"""(?:\w+[ ,!]+){0,5}(?:many )?thank(?:s| you) (?:very much )?for (?:your|the|contacting|e-?mailing|writing) |
    (?:\w+[ ,!]+){0,5}i have received your (?:e-?mail|message) | (?:\S+[
    ,!]+){0,6}(?:vielen|besten|herzlichen|danke|dank) ?(?:dank )?für (?:ihre|deine|die|eure) | (?:\S+[
    ,!]+){0,4}merci (?:\w+ )?(?:de|pour) (?:votre|ton|le|l') | (?:\S+[ ,!]+){0,4}(?:muchas )?gracias por
    (?:su|tu|el|contactar|escribir) | (?:\S+[ ,!]+){0,4}(?:la )?(?:grazie|ringrazio|ringraziamo) (?:per|della|del) |
    (?:\S+[ ,!]+){0,4}(?:muito )?obrigad[oa] (?:pel[oa]|por) | (?:\S+[ ,!]+){0,4}(?:hartelijk )?(?:bedankt|dank)
    (?:u )?voor (?:uw|je|het) |
    .{0,40}(?:ご連絡|メール|お問い?合わせ)(?:を|いただき|をいただき|頂き|をお送りいただき)?[、。]?(?:誠に)?(?:まことに)?(?:ありがとう|有難う|有り難う)""",
    start=True,
)
#: Whom else to write to, and what happens to the mail.
INSTEAD = _any(
    r"""urgent | emergency|emergencies | immediate (?:assistance|attention|help|matters?) | in (?:my|the)
    (?:absence|meantime) | (?:will|won't|not) be (?:forwarded|read) | please
    (?:contact|reach|call|write|e-?mail|refer) | limited access | dringend | notfall | nicht weitergeleitet | wenden
    sie sich | vertretung | vertritt | en cas d['e] | veuillez (?:contacter|vous adresser) | urgence | urgente |
    contact(?:e|ar|en|ez|o)\b | diríjase | urgenz | rivolger | scrivere a | contattare | urgência | spoed |
    dringende | contact opnemen | 緊急 | お急ぎ | 至急 | までご連絡 | 代わり""",
)
#: Subjects of read receipts and of answers to invitations that come without the part that says so.
READ_SUBJECT = re.compile(
    r"\s*(?:(?:not |un)?read|(?:un)?gelesen|(?:non )?lu|(?:no )?leído|(?:non )?letto|(?:não )?lid[ao]"
    r"|(?:niet )?gelezen|開封済み|未読)\s*:",
    re.IGNORECASE,
)
WAS_READ = _any(
    r"""was (?:read|opened|displayed|deleted) (?:on|without) | wurde .{0,60}(?:gelesen|gelöscht)
    | a été (?:lu|supprimé) | (?:fue|se ha) leíd | è stat[ao] (?:lett|eliminat) | foi (?:lid|excluíd)
    | is (?:op .{1,40} )?gelezen | 開封 | read receipt"""
)
INVITATION_SUBJECT = re.compile(
    r"\s*(?:accepted|declined|tentative(?:ly accepted)?|zugesagt|abgelehnt|mit vorbehalt|accepté|refusé|provisoire"
    r"|aceptad[ao]|rechazad[ao]|accettato|rifiutato|aceit[eo]|recusad[ao]|geaccepteerd|geweigerd|voorlopig|承諾|辞退|仮承諾)\s*:",
    re.IGNORECASE,
)
#: A mail came in: the days of such an answer are those of a promise.
RECEIPT = _any(
    r"""received your | has been received | (?:ticket|case|request|reference) (?:number|no|id|#|\d) | eingegangen
    | erhalten | bien reçu | avons reçu | a été reçue? | ha sido recibid | hemos recibido | recibimos | abbiamo ricevuto
    | è stat[ao] ricevut | recebemos | foi recebid | hebben .{0,40}ontvangen | is ontvangen | 受け付け
    | 受付 | 承りました"""
)
#: What else an out-of-office note speaks of; a sentence about anything else was written by hand.
NOTE_TALK = _any(
    r"""\b(?:e-?)?mails?\b | messag | nachricht | courriel | correo | posta\b | mensage | bericht | repl(?:y|ies)
    | respon[ds] | answer | antwort | beantwort | répon[ds] | rispond | antwoord | reager | return | zurück
    | retour | vuel[vt] | regres | rientr | torn[oai] | volt[oa] | terug | back\b | access | zugriff | accès
    | acceso | accesso | acesso | toegang | regards | sincerely | greetings | grü(?:ß|ss)e | gruß
    | salutations | cordialement | saludos | saluti | cumprimentos | groet | understanding | verständnis
    | compréhension | メール | 返信 | 連絡 | 対応 | よろしく | お世話 | お手数 | 迷惑"""
)
#: A mail that nobody is to answer.
DO_NOT_REPLY = _any(
    r"""(?:do not|don't|cannot) (?:reply|respond|answer) | not (?:monitored|read) | automat(?:ed|ically generated|ic)
    (?:message|e-?mail|notification|response|reply) | automatically (?:sent|generated|created) | (?:nicht|bitte
    nicht) (?:auf diese|antworten) | automatisch
    (?:erzeugt|erstellt|generiert|versand|versend|gegenereerd|verzonden) | ne (?:pas|pas y) répondre | généré
    automatiquement | no (?:responda|conteste) | generado automáticamente | non risponder | generat[ao]
    automaticamente | não responda | gerad[ao] automaticamente | niet (?:op dit bericht )?(?:te
    )?(?:beantwoorden|antwoorden|reageren) | 自動(?:送信|配信|的に) | 返信(?:しないで|はご遠慮|いただ)""",
)
NO_REPLY = re.compile(
    r"^(?:.*[._+-])?(?:no-?_?\.?reply|do-?_?not-?_?reply|dont-?reply|nicht-?antworten|ne-?pas-?repondre|noresponder"
    r"|no-?responder|notifications?|auto-?reply|autoresponder|auto-?response)(?:[._+-].*)?$",
    re.IGNORECASE,
)
