"""The words of out-of-office notes in eight languages under the tag that says what they mean (F5).

To add a phrase, put it under its tag, between bars; capitals and accents do not matter. A word that means something
else in another language stands under the tag that is safe for both, or nowhere.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from enum import Enum, auto
from typing import NamedTuple


class Tag(Enum):
    """What a token of the note means."""

    __hash__ = object.__hash__  # every token looks its tag up in sets; Enum's own hash takes several times as long

    DATE = auto()
    NUMBER = auto()  # 1 to 31, perhaps a day
    YEAR = auto()
    MONTH = auto()
    WEEKDAY = auto()
    WEEKDAY_SHORT = auto()  # only beside a date: "so", "do", "mar" are words too
    AHEAD = auto()  # today, tomorrow
    # What stands before a day, and in Japanese after it
    UNTIL = auto()
    TO = auto()  # the last day only when a first one stands before it: "du 3 au 14"
    DASH = auto()
    BETWEEN = auto()
    AND = auto()
    FROM = auto()
    OF = auto()  # a start only in a range: "mail du 3 juin", "du 3 au 14 juin"
    ON = auto()
    AFTER = auto()
    MORNING = auto()  # until Monday morning: is Monday a day away?
    BEFORE = auto()
    VAGUE = auto()
    FILLER = auto()
    UNTIL_SUFFIX = auto()
    FROM_SUFFIX = auto()
    ON_SUFFIX = auto()
    VAGUE_SUFFIX = auto()
    NOT_BEFORE = auto()  # "only from", "ne ... que le"
    NOT_BEFORE_SUFFIX = auto()
    OR = auto()
    # What the sentence is about
    BACK = auto()
    NOT_BACK = auto()
    AGAIN = auto()
    ANSWERS = auto()  # Japanese notes promise an answer instead of a return
    HANDLES = auto()  # answers, reads or handles mail: the return when it is "not before" or "only from" a day
    ONLY = auto()  # "erst", "só poderei": the day of the sentence is the first
    AWAY = auto()
    AVAILABLE = auto()
    LIMITED = auto()
    NOT = auto()
    GONE = auto()  # left for good: no return to read
    COLLEAGUE = auto()
    CONTACT = auto()
    EVENT = auto()
    DOUBT = auto()
    IF = auto()
    NOW = auto()
    WEEK = auto()
    PERIOD = auto()  # a time away that is counted in days or months, or named by a feast
    FAR = auto()  # beside a weekday: not simply the coming one
    SIGN_OFF = auto()
    # What separates
    COLON = auto()
    BREAK = auto()
    LINE = auto()
    SHORT_LINE = auto()
    STOP = auto()
    TIME = auto()
    WORD = auto()
    JUNK = auto()


_PHRASES: dict[Tag, str] = {
    Tag.UNTIL: """until | until and including | up until | till | til | through | thru | up to
        | up to and including | to and including | bis | bis und mit | bis einschließlich | bis einschl
        | bis zum | bis inklusive | bis inkl | jusqu'au | jusqu'à | jusqu'en | jusque | jusqu'au soir du | hasta
        | hasta el | hasta el día | fino al | fino a | fino all' | fino alla | sino al | sino a | até | até ao
        | até o | até ao dia | até o dia | até dia | até à | tot | tot en met | t/m | tot aan""",
    Tag.TO: "to | au | à | al | all' | a | ao | ao dia | al día | e até",
    Tag.BETWEEN: "between | zwischen | entre | tra | fra | tussen",
    Tag.AND: "and | und | et | y | e | en | & | sowie | but | aber | mais | pero | però | mas | maar",
    Tag.FROM: """from | starting | starting on | starting from | beginning | since | as of | as from
        | effective | ab | ab dem | seit | seit dem | von | beginnend | à partir du | à partir de | à compter du
        | dès | dès le | depuis le | desde | desde el | a partir del | a partir de | dal | dall' | a partire dal
        | a partire da | da | a partir do dia | a partir do | desde o dia | desde o | vanaf | met ingang van
        | sinds | ab sofort bis""",
    Tag.OF: "vom | du | del | de | do | dos | di | van | d' | von dem",
    Tag.ON: "on | am | le | el | il | em | no | op | in data | em data de | den",
    Tag.AFTER: "after | nach dem | après le | después del | dopo il | após | depois de | depois do dia | na",
    Tag.MORNING: """morning | noon | midday | morgens | früh | vormittag | mittag | matin | midi | mattina
        | mattino | manhã | ochtend | mediodía""",
    Tag.BEFORE: """before | earlier than | sooner than | prior to | vor | vor dem | früher als | eher als | avant
        | avant le | antes del | antes del día | prima | prima del | prima di | prima dell' | antes de | antes do
        | antes do dia | voor | eerder dan | not later than""",
    Tag.NOT_BEFORE: """only from | only on | only after | only as of | que le | qu'à partir du | qu'à partir de
        | qu'à compter du | qu'au | seulement le | seulement à partir du | uniquement à partir du | solo el
        | solo a partir del | solo desde el | solamente a partir del | solo il | solo dal | solo a partire dal
        | soltanto il | soltanto dal | soltanto a partire dal | solamente dal | solamente a partire dal | só a | só em
        | só no dia | só a partir de | só a partir do | só a partir do dia | somente em | somente a partir de
        | apenas em | apenas no dia | apenas a partir de | pas op | pas vanaf | pas weer | pas weer op
        | pas weer vanaf""",
    Tag.NOT_BEFORE_SUFFIX: """以降でないと | 以降でなければ | からでないと | 以降にならないと | にならないと
        | になるまで | になってから | 以降になり | 以降となり | からとなり | からになり""",
    Tag.OR: """or | or possibly | or maybe | oder | bzw | beziehungsweise | resp | ou | sinon | voire | ou então
        | oppure | ovvero | ofwel | または | 又は | もしくは | 若しくは | あるいは | 或いは""",
    Tag.VAGUE: """around | about | approximately | approx | roughly | circa | ca | at least | at the earliest
        | earliest | 早くても | 早くとも | 遅くとも | 遅くても | 早ければ | mindestens | wenigstens | frühestens
        | etwa | ungefähr | gegen | vermutlich erst | spätestens | environ | vers le | autour du | au moins
        | au plus tôt | alrededor del | al menos | por lo menos | aproximadamente | verso il | intorno al
        | almeno | por volta de | por volta do dia | pelo menos | sobre el | hacia el | a eso del | lá para
        | lá pelo | tegen | omstreeks | um den | so um den | attorno al | aux alentours du | ongeveer | rond
        | minstens | op zijn vroegst | exclusive | ausschließlich | exclu | latest | at the latest | or later
        | or earlier | or so | oder später | au plus tard | ou plus tard | a más tardar | como muy tarde
        | como pronto | o más tarde | al più tardi | al più presto | o più tardi | o mais tardar | ou mais tarde
        | uiterlijk | of later""",
    Tag.DOUBT: """possibly | perhaps | maybe | hopefully | probably | likely | might | may be | may return
        | could be | could return | should be | should return | hope to | i hope | i think | i guess | not sure
        | unsure | tentatively | if all goes well | if all goes to plan | permitting | subject to | depending
        | all being well | vielleicht | eventuell | evtl | möglicherweise | wahrscheinlich | vermutlich
        | hoffentlich | hoffe | denke | sollte ich | könnte | womöglich | unter umständen | wenn alles klappt
        | wenn alles gut geht | peut-être | probablement | sans doute | normalement | éventuellement | espère
        | pense | devrais | devrait | devrions | pourrais | pourrait | sauf imprévu | si tout va bien
        | en principe | quizá | quizás | tal vez | a lo mejor | probablemente | posiblemente | seguramente
        | espero | creo | debería | deberíamos | podría volver | podría regresar | podría estar | puede que
        | es posible | si todo va bien | si todo sale bien | en principio | salvo imprevistos | forse | magari
        | probabilmente | eventualmente | spero | credo | penso | dovrei | dovremmo | dovrebbe | potrei
        | salvo imprevisti | se tutto va bene | in linea di massima | talvez | provavelmente | possivelmente
        | acho | devo | deveria | devemos | se tudo correr bem | em princípio | misschien | wellicht | mogelijk
        | waarschijnlijk | hopelijk | hoop | denk ik | vermoedelijk | eventueel | als alles goed gaat | zou
        | zouden | onder voorbehoud | かもしれ | かも知れ | 可能性 | 恐らく | おそらく | たぶん | 多分
        | もしかすると | もしかしたら | と思います | 未定""",
    Tag.IF: """if | unless | otherwise | should | wenn | falls | sofern | sonst | si besoin | sauf | sino
        | salvo | altrimenti | senão | tenzij | anders | もし""",
    Tag.NOW: """currently | at the moment | right now | now | presently | derzeit | zurzeit | zur zeit
        | momentan | gerade | im moment | jetzt | aktuell | actuellement | en ce moment | pour le moment
        | maintenant | actualmente | en este momento | ahora | ahora mismo | attualmente | al momento | adesso
        | atualmente | de momento | no momento | neste momento | agora | momenteel | op dit moment | 現在 | ただいま
        | 只今""",
    Tag.FILLER: """the | at | inclusive | incl | including | included | inkl | inklusive | einschließlich
        | einschl | inclus | incluse | compris | compreso | compresi | incluso | inclusief | ambos inclusive
        | ambos incluidos | both inclusive | both days included | next | coming | this | kommenden | nächsten
        | dem | zum | einem | l' | la | prochain | próximo | prossimo | o | os | dia | dias | días | el día
        | no dia | this week | diese woche | dieser woche | cette semaine | esta semana | questa settimana
        | deze week | 今週 | i giorni | giorno | komende | aanstaande | cob | eob | eod | end of day
        | close of business | date | datum | day | of | diesen | feira | kl | um | evening | afternoon | abends
        | abend | soir | today's""",
    Tag.BACK: """er weer | in again | here again | riapriremo | riapre | riapriamo | riapertura | réouverture
        | rouvrirons | rouvre | rouvrira | reabrimos | reabriremos | reabrirá | reapertura | reabertura
        | heropening | wiedereröffnung | retornando | voltando | tornando | volviendo | rentrant | revenant
        | incorporándome | reincorporándome | incorporación | terugkerend | zurückkehrend | zurückgekehrt
        | volvemos | voltamos | torniamo | rientriamo | retournons | reprenons | back | return | returning
        | returns | i return | zurück | zurueck | zurückkehren | zurückkehre | rückkehr | rueckkehr | retour
        | de retour | reviens | reviendrai | rentrerai | rentre | reprends | reprendrai | reprise | vuelvo
        | volveré | volvere | vuelta | de vuelta | regreso | regresaré | regresando | reincorporo
        | reincorporaré | reincorporación | me incorporo | me incorporaré | retorno | retornaré | retomaré
        | rientro | rientrerò | rientrero | tornerò | tornero | torno | ritorno | di ritorno | ritornerò
        | regresso | regressarei | voltarei | volto | de volta | retornarei | regressando | terug | teruggekeerd
        | terugkomst | resume | resuming | resume work | reopen | reopens | reopening | in office again
        | reviendrons | retrouverai | volveremos | regresamos | regresaremos | retomaremos | retomamos
        | reanudamos | reanudando | reanudaremos | torneremo | rientreremo | riprenderò | riprenderemo
        | riprendiamo | ripresa | voltaremos | regressaremos | retornaremos | retornamos | regressamos | reabre
        | terugkeer | hervatten | hervat | zurückkomme | wiederkomme | 営業開始 | 再開 | 出社 | 復帰 | 出勤
        | 職場復帰 | 業務を再開 | 営業を再開 | 通常営業 | 通常業務 | 通常通り | 平常通り | 平常営業""",
    Tag.NOT_BACK: "no volveré | no vuelvo | no regresaré | no regreso | no estaré de vuelta | no me reincorporo",
    Tag.AGAIN: """again | wieder | erneut | de nouveau | à nouveau | de nuevo | nuevamente | di nuovo
        | nuovamente | novamente | de novo | weer | opnieuw | once more""",
    Tag.ANSWERS: """返信 | 返事 | 返答 | 回答 | 対応 | ご連絡 | 連絡いたします | 連絡させて | 確認いたします
        | 確認させて | 確認します""",
    Tag.HANDLES: """respond | responding | response | reply | replying | answer | answering | answered | check
        | checking | checked | monitor | monitored | monitoring | read | reading | process | processed | pick up
        | picked up | look at | looked at | handled | dealt with | antwort | antworten | antworte | beantworten
        | beantworte | beantwortet | lesen | lese | gelesen | bearbeiten | bearbeite | bearbeitet | abrufen
        | melden | répondre | réponds | répondrai | répondrons | réponse | consulter | consulte | consulterai
        | lire | lirai | lu | traiter | traiterai | traité | traités | traitée | responder | responderé
        | respondo | contestar | contestaré | leer | leeré | leído | revisar | revisaré | atender | atenderé
        | atenderemos | atendido | respuesta | rispondere | rispondo | risponderò | risponderemo | leggere
        | leggerò | letto | letta | controllare | controllerò | consultare | risposta | responderei
        | responderemos | ler | lerei | lido | lida | consultar | consultarei | tratar | tratado | resposta
        | antwoorden | antwoord | beantwoord | beantwoorden | reageren | reageer | reactie | lezen | lees
        | gelezen | behandelen | behandeld | in behandeling | 見る | 見られ | 読む | 確認""",
    Tag.ONLY: """erst | erst wieder | só poderei | só posso | só poderemos | só volto | só voltarei
        | só voltamos | só regresso | só respondo | só responderei | só estarei | só consigo | só lerei
        | solo podré | solo puedo | solo podremos | solo responderé | solo volveré | solo potrò
        | solo risponderò | soltanto potrò | recién""",
    Tag.AWAY: """out of office | out of the office | out-of-office | ooo | away | absent | absence | vacation
        | holiday | holidays | on leave | leave | annual leave | pto | travelling | traveling | business trip
        | unavailable | not available | not in the office | not be in the office | not in office | out | off
        | off work | offsite | closed | unreachable | not reachable | sick | without access | no access
        | time off | urlaub | jahresurlaub | abwesend | abwesenheit | abwesenheitsnotiz | abwesenheitszeitraum
        | nicht im büro | nicht im buero | nicht im haus | nicht im hause | außer haus | ausser haus
        | nicht erreichbar | nicht am arbeitsplatz | nicht verfügbar | dienstreise | geschäftsreise | elternzeit
        | krank | erkrankt | betriebsferien | betriebsurlaub | geschlossen | fortbildung | ferien | unterwegs
        | im haus nicht | congé | congés | vacances | absente | déplacement | indisponible | pas disponible
        | pas joignable | fermé | fermés | fermée | arrêt maladie | congé maternité | rtt | pas au bureau
        | ne travaille pas | vacaciones | ausente | ausencia | fuera | fuera de la oficina | permiso
        | no disponible | no estaré disponible | no estaré | baja | cerrado | cerrada | cerrados | de viaje
        | me voy | nos vamos | no estoy | ferie | assente | assenza | vacanza | vacanze | fuori ufficio
        | fuori sede | malattia | trasferta | chiuso | chiusi | chiusa | non disponibile | non sarò
        | non raggiungibile | non sono in ufficio | férias | ausência | fora | fora do escritório | licença
        | indisponível | não estarei | encerrado | fechado | encerrados | viagem | vakantie | afwezig
        | afwezigheid | verlof | niet aanwezig | buiten kantoor | niet bereikbaar | niet op kantoor | gesloten
        | vrij | zakenreis | ziek | niet beschikbaar | vacay | break | shutdown | time away | maternity
        | paternity | sabbatical | offline | not working | not at work | krankgeschrieben | mutterschutz
        | nicht da | weg | nicht anwesend | nicht am platz | brückentag | betriebsruhe | urlaubsbedingt
        | verreist | auf reisen | nicht im dienst | frei | en formation | maladie | maternité | fermées
        | fermeture | absents | absentes | injoignable | ne serai pas | cerradas | ausentes | vacacional
        | incapacidad | viaje | no estará | no estaremos | chiuse | assenti | permesso | congedo | maternità
        | non sarà | non saremo | irreperibile | fechadas | encerradas | fechados | recesso | folga | não estará
        | não estaremos | viajando | ziekteverlof | zomervakantie | kerstvakantie | op reis | niet werkzaam
        | dicht | 休暇 | 不在 | 休み | 休業 | 出張 | 有給 | 育休 | 休ませ | 休職 | お休み | 留守 | 休業日
        | 休暇中""",
    Tag.AVAILABLE: """available | reachable | erreichbar | verfügbar | disponible | joignable | localizable
        | disponibile | raggiungibile | disponível | contactável | bereikbaar | beschikbaar | aanwezig
        | in the office | im büro | im haus | au bureau | en la oficina | in ufficio | no escritório
        | op kantoor | da | present | anwesend | zu erreichen | erreichen | contactable | at my desk""",
    Tag.LIMITED: """limited | restricted | limited access | eingeschränkt | bedingt | begrenzt | sporadisch
        | limité | limitée | difficilement | limitado | limitata | limitato | beperkt | restreint | intermittent
        | sporadic""",
    Tag.GONE: """my last day | letzter arbeitstag | mon dernier jour | mi último día
        | mijn laatste werkdag | meu último dia | mio ultimo giorno | no longer with | no longer works
        | no longer working | no longer employed | left the company | nicht mehr für | ausgeschieden
        | nicht mehr im unternehmen | verlassen | a quitté | quitté | ne fait plus partie | ya no trabaja
        | ya no trabajo | non lavora più | já não trabalha | não trabalha mais | não faz mais parte
        | werkt niet meer | niet meer werkzaam | 退職""",
    Tag.NOT: """not | won't | no | cannot | can't | isn't | don't | doesn't | aren't | unable | never | nothing
        | nobody | nicht | kein | keine | keinen | nichts | niemand | pas | ne | jamais | non | nunca | nada
        | não | niet | geen | niets | nooit | ません | かねます | 不可""",
    Tag.COLLEAGUE: """colleague | colleagues | deputy | backup | kollege | kollegin | kollegen | vertreter
        | vertreterin | collègue | collègues | compañero | compañera | colega | colegas | collega | colleghi
        | collega's | teammate | 同僚 | 代理""",
    Tag.CONTACT: """contact | reach out | write to | reach | call | replaces | covers | covering | stands in
        | deputises | wenden | vertritt | vertreten | vertretung | kontaktieren | contacter | contactez
        | adresser | remplace | contactar | contacte | sustituye | diríjase | dirigirse | contattare
        | rivolgersi | sostituisce | substitui | contate | entre em contato | dirija-se | opnemen | vervangt
        | vervanger | neem contact | 代わり | 担当""",
    Tag.EVENT: """working from home | work from home | wfh | working remotely | homeoffice | home office | télétravail
        | teletrabajo | smart working | lavoro da casa | teletrabalho | thuiswerken | werk thuis | 在宅勤務 | テレワーク
        | リモートワーク | preise | prices | gelten | gilt | maintenance | wartung | migration | mantenimiento
        | manutenzione | manutenção | onderhoud | メンテナンス | factura | facture | fattura | fatura | factuur
        | vencimiento | échéance | scadenza | vencimento | visit us | meet us | join us | see us | register
        | webinar | trade fair | booth | stand | hall | valid | valid until | offer | survey | deadline | submit
        | invoice | invoices | besuchen sie uns | treffen sie uns | messe | halle | gültig | angebot | frist
        | rechnung | rechnungen | webinaire | salon | rendez-vous | venez | valable | visítenos | feria | válido
        | oferta | fiera | visitate | valido | offerta | feira | visite-nos | beurs | bezoek ons | geldig
        | release | 展示会 | セミナー | 有効期限""",
    Tag.WEEK: """week | weeks | woche | wochen | kw | semaine | semaines | semana | semanas | settimana
        | settimane | weken | 来週 | 再来週 | 週間 | の週 | 翌週 | fortnight""",
    Tag.PERIOD: """days | tage | tagen | jours | dagen | 日間 | month | months | monat | monate | monaten
        | monats | mois | un mes | este mes | el mes | del mes | fin de mes | meses | mese | mesi | mês | maand
        | maanden | ヶ月 | か月 | 来月 | 月末 | 上旬 | 中旬 | 下旬 | quinzaine | quincena | easter | christmas
        | new year | thanksgiving | bank holiday | ostern | pfingsten | weihnachten | silvester | neujahr
        | pâques | pentecôte | noël | toussaint | nouvel an | semana santa | navidad | pascua | año nuevo
        | natale | pasqua | ferragosto | capodanno | natal | páscoa | carnaval | ano novo | kerst | kerstmis
        | pasen | pinksteren | お盆 | 連休 | 年末 | 年始 | 年明け | ゴールデンウィーク | augustwoche
        | sommerferien | herbstferien | osterferien | weihnachtsferien""",
    Tag.FAR: """after next | following | übernächsten | übernächste | übernächster | darauf | darauffolgenden
        | letzten | letzte | ersten | zweiten | dritten | suivant | d'après | en huit | en quinze | siguiente
        | subsiguiente | successivo | seguente | seguinte | daarop | volgende | laatste | eerste | first
        | second | third | last | premier | deuxième | dernier | primer | último | primo | secondo | ultimo
        | primeira | última | 次の | 最初の | 最後の | 第一 | 第二 | 第三""",
    Tag.SIGN_OFF: """regards | kind regards | best regards | sincerely | cheers | grüßen | grüße | gruß | mfg
        | lg | cordialement | salutations | saludos | un saludo | atentamente | saluti | cordiali saluti
        | distinti saluti | cumprimentos | atenciosamente | abraço | groet | groeten | よろしくお願い
        | 宜しくお願い""",
    Tag.WORD: "zo snel mogelijk | zo spoedig mogelijk",  # not the "mogelijk" of a doubt
    Tag.FROM_SUFFIX: "から | より | 以降",
    Tag.UNTIL_SUFFIX: "まで | 迄 | の間",
    Tag.ON_SUFFIX: "に | は",
    Tag.VAGUE_SUFFIX: "までに | までには | 迄に | 頃 | ごろ | 以前 | 前後 | 予定は未定",
}

#: Months and days in the languages' order: English, German, French, Spanish, Italian, Portuguese, Dutch.
_MONTHS = (
    "january jan januar jänner jaenner janvier janv enero ene gennaio gen gennaro janeiro januari",
    "february feb februar feber février févr fév fevr febrero febbraio febb fevereiro fev februari",
    "march mar märz maerz mär mrz mars marzo março maart mrt",
    "april apr avril avr abril abr aprile",
    "may mai mayo maggio mag maio mei",
    "june jun juni juin junio giugno giu junho",
    "july jul juli juillet juil julio luglio lug julho",
    "august aug août agosto ago ag augustus",
    "september sep sept septembre septiembre setiembre settembre sett set setembro",
    "october oct oktober okt octobre octubre ottobre ott outubro out",
    "november nov novembre noviembre novembro",
    "december dec dezember dez décembre déc diciembre dic dicembre dezembro",
)
ENGLISH_MONTHS = frozenset(name for names in _MONTHS for name in names.split()[:2]) | {"may", "sept"}
_WEEKDAYS = (
    "monday montag lundi lunes lunedì segunda-feira maandag 月曜日 月曜",
    "tuesday dienstag mardi martes martedì terça-feira dinsdag 火曜日 火曜",
    "wednesday mittwoch mercredi miércoles mercoledì quarta-feira woensdag 水曜日 水曜",
    "thursday donnerstag jeudi jueves giovedì quinta-feira donderdag 木曜日 木曜",
    "friday freitag vendredi viernes venerdì sexta-feira vrijdag 金曜日 金曜",
    "saturday samstag sonnabend samedi sábado sabato zaterdag 土曜日 土曜",
    "sunday sonntag dimanche domingo domenica zondag 日曜日 日曜",
)
SHORT_WEEKDAYS = (
    "mon lun seg segunda",
    "tue tues mar ter terça",
    "wed mer mie mié qua quarta",
    "thu thur thurs jeu jue gio qui quinta",
    "fri ven vie sex sexta",
    "sat sam sab sáb",
    "sun dim dom",
)
#: German and Dutch; words of other languages unless they are capitals directly before a number: "bis Fr 12.6.".
TWO_LETTER_WEEKDAYS = {"Mo": 0, "Ma": 0, "Di": 1, "Mi": 2, "Wo": 2, "Do": 3, "Fr": 4, "Vr": 4, "Sa": 5, "Za": 5}
TWO_LETTER_WEEKDAYS |= {"So": 6, "Zo": 6}
_AHEAD = {
    0: "today | heute | aujourd'hui | hoy | oggi | hoje | vandaag | 本日 | 今日",
    1: "tomorrow | morgen | demain | mañana | domani | amanhã | 明日",
    2: "day after tomorrow | the day after tomorrow | übermorgen | après-demain | pasado mañana | dopodomani"
    " | depois de amanhã | overmorgen | 明後日",
}


#: Whoever is back or away in a sentence that names a colleague: the writer, when one of these words is there.
_WRITER = """i my me we our ich mein meine meiner meinem mir mich wir unser unsere je j mon ma mes moi nous yo mi mis
    estaré vuelvo volveré regresaré reincorporo io mio mia mie sono sarò rientrerò tornerò eu meu minha
    estarei estou voltarei regressarei retorno regresso rientro vuelva vuelta ik mijn mij wij 私 小職 当方
    antworte beantworte lese bearbeite réponds répondrai répondrons consulte consulterai lirai traiterai responderé
    respondo contestaré contesto leeré revisaré atenderé atenderemos podré podremos rispondo risponderò risponderemo
    leggerò controllerò consulterò potrò responderei responderemos lerei consultarei poderei"""


def folded(word: str) -> str:
    """Lower case without accents; the marks of Japanese kana are no accents and stay."""
    marks = unicodedata.normalize("NFD", word.casefold().replace("’", "'"))
    return unicodedata.normalize("NFC", "".join(mark for mark in marks if not "\u0300" <= mark <= "\u036f"))


class Meaning(NamedTuple):
    tag: Tag
    number: int = 0


def _vocabulary() -> dict[tuple[str, ...], Meaning]:
    """From the words of a phrase to its meaning. Entered from the weakest to the strongest: the last entry stays."""
    known: dict[tuple[str, ...], Meaning] = {}

    def enter(phrases: Iterable[str], meaning: Meaning) -> None:
        known.update({_phrase_words(phrase): meaning for phrase in phrases})

    for tag in reversed(_PHRASES):
        enter(_PHRASES[tag].split("|"), Meaning(tag))
    for weekday, names in enumerate(_WEEKDAYS):
        enter(SHORT_WEEKDAYS[weekday].split(), Meaning(Tag.WEEKDAY_SHORT, weekday))
        enter(names.split(), Meaning(Tag.WEEKDAY, weekday))
        # "Na" alone is Dutch for "after"; in Portuguese it is "on", and stands before these only.
        enter((f"na {name}" for name in names.split() if name.endswith("feira")), Meaning(Tag.WEEKDAY, weekday))
        enter((f"na próxima {name}" for name in names.split() if name.endswith("feira")), Meaning(Tag.WEEKDAY, weekday))
    for days, phrases in _AHEAD.items():
        enter(phrases.split("|"), Meaning(Tag.AHEAD, days))
    return known


def _phrase_words(phrase: str) -> tuple[str, ...]:
    return tuple(_WORD.findall(folded(phrase)))


LATIN = "A-Za-z\u00c0-\u024f"
CJK = "\u3005\u3040-\u30ff\u4e00-\u9fff"
_WORD = re.compile(rf"t/m|&|[{LATIN}]+(?:-[{LATIN}]+)*|[{CJK}]+")

VOCABULARY = _vocabulary()
MONTH = f"(?:{'|'.join(sorted(' '.join(_MONTHS).split(), key=len, reverse=True))})"
MONTH_NUMBER = {folded(name): number for number, names in enumerate(_MONTHS, 1) for name in names.split()}
WRITER_WORDS = frozenset(folded(_WRITER).split())
LONGEST_KNOWN = max(map(len, VOCABULARY))
JAPANESE = sorted((words[0] for words in VOCABULARY if re.match(f"[{CJK}]", words[0])), key=len, reverse=True)
