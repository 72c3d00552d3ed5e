"""The words of the findings, in Danish and English: needs, demands, plans, days, months, numbers, sentences.

Plain language, LIX at most 40 (`domain.md` 5.5). Nothing here says "excess": a helper may be there for the child.
"""

from __future__ import annotations

from typing import Literal

Language = Literal["da", "en"]
Phrase = tuple[str, str]

WEEKDAYS: tuple[Phrase, ...] = (
    ("mandag", "Monday"),
    ("tirsdag", "Tuesday"),
    ("onsdag", "Wednesday"),
    ("torsdag", "Thursday"),
    ("fredag", "Friday"),
    ("lørdag", "Saturday"),
    ("søndag", "Sunday"),
)
MONTHS: tuple[Phrase, ...] = (
    ("januar", "January"),
    ("februar", "February"),
    ("marts", "March"),
    ("april", "April"),
    ("maj", "May"),
    ("juni", "June"),
    ("juli", "July"),
    ("august", "August"),
    ("september", "September"),
    ("oktober", "October"),
    ("november", "November"),
    ("december", "December"),
)
NUMBERS: tuple[Phrase, ...] = (
    ("nul", "no"),
    ("en", "one"),
    ("to", "two"),
    ("tre", "three"),
    ("fire", "four"),
    ("fem", "five"),
    ("seks", "six"),
    ("syv", "seven"),
    ("otte", "eight"),
    ("ni", "nine"),
    ("ti", "ten"),
)
NEEDS: dict[str, Phrase] = {
    "struktur": ("struktur i hverdagen", "structure in daily life"),
    "komme_ud": ("at komme ud ad døren", "getting out of the door"),
    "angst": ("hjælp til angst", "help with anxiety"),
    "foraeldrerolle": ("hjælp til at være forælder", "help with being a parent"),
    "bevaegelse": ("at bevæge sig", "moving about"),
    "smerter": ("hjælp til smerter", "help with pain"),
    "oekonomi": ("hjælp med penge", "help with money"),
    "bolig": ("hjælp med bolig", "help with housing"),
    "sprog": ("at lære dansk", "learning Danish"),
    "uddannelse": ("uddannelse", "education"),
    "job": ("at få eller holde et job", "getting or keeping a job"),
    "doegnrytme": ("søvn og døgnrytme", "sleep and daily rhythm"),
    "misbrug": ("hjælp til at stoppe et misbrug", "help to stop a misuse"),
    "netvaerk": ("at lære andre at kende", "getting to know others"),
    "administration": ("hjælp med breve og aftaler", "help with letters and appointments"),
}
DEMANDS: dict[str, Phrase] = {
    "staaende": ("stående arbejde", "standing work"),
    "siddende": ("stillesiddende arbejde", "work sitting down"),
    "gaaende": ("arbejde, hvor man går meget", "work with much walking"),
    "trapper": ("at gå på trapper", "climbing stairs"),
    "loefte": ("tunge løft", "heavy lifting"),
    "bukkende": ("at bukke sig eller ligge på knæ", "bending or kneeling"),
    "raekke": ("at række ud eller op", "reaching out or up"),
    "finmotorik": ("fint arbejde med hænderne", "fine work with the hands"),
    "koere_bil": ("at køre bil", "driving a car"),
    "tidspres": ("at kunne arbejde under pres", "working under pressure"),
    "kundekontakt": ("at tale med mange fremmede", "talking with many strangers"),
}
PLANS: dict[str, Phrase] = {
    "min_plan": ("Min plan", "My plan (jobs)"),
    "handleplan_voksen": ("handleplan", "action plan"),
    "handleplan_barn": ("barnets plan", "the child's plan"),
    "barnets_plan": ("barnets plan", "the child's plan"),
    "ungeplan": ("ungeplan", "youth plan"),
    "rehabiliteringsplan": ("rehabiliteringsplan", "rehabilitation plan"),
    "rehab_forberedende_del": ("rehabiliteringsplan, første del", "rehabilitation plan, first part"),
    "helhedsorienteret_plan": ("samlet plan", "joint plan"),
    "genoptraeningsplan": ("plan for genoptræning", "training plan"),
}
SENTENCES: dict[str, Phrase] = {
    "and": ("og", "and"),
    "helpers": ("{count} personer kommer på samme tid {when}.", "{count} people come at the same time {when}."),
    "when": ("{days} kl. {start}–{end}", "on {days} {start}–{end}"),
    "interventions": ("To indsatser har samme mål: {need}.", "Two kinds of help have the same aim: {need}."),
    "grants": ("Kommunen har sagt ja til det samme to gange: {need}.", "The same is granted twice: {need}."),
    "unknown_need": ("det samme behov", "the same need"),
    "two_laws": (
        "De er givet efter hver sin lov. Der er to afgørelser, og man kan klage over dem hver for sig.",
        "They are given under different laws. There are two decisions, and one can appeal each of them.",
    ),
    "demand": ("En aktivitet kræver {demand}.", "An activity demands {demand}."),
    "limit": ("Det passer ikke med det, personen kan.", "That does not fit what the person can do."),
    "limit_day": (
        "Det passer ikke med det, personen kan. Det blev oplyst {day}.",
        "That does not fit what the person can do, as told on {day}.",
    ),
    "own_limit": ("Det passer ikke med det, du kan.", "That does not fit what you can do."),
    "own_limit_day": (
        "Det passer ikke med det, du kan. Det blev oplyst {day}.",
        "That does not fit what you can do, as told on {day}.",
    ),
    "assessments": ("Der er to udredninger om det samme emne.", "There are two assessments of the same topic."),
    "open_1": ("Den ene er ikke færdig.", "One is not finished."),
    "open_2": ("Ingen af dem er færdige.", "Neither is finished."),
    "statements": (
        "Der er {count} erklæringer fra læger om det samme emne med kort tid imellem.",
        "There are {count} medical statements on the same topic within a short time.",
    ),
    "requested": ("En eller flere er ikke skrevet endnu.", "One or more are not written yet."),
    "meetings": ("Der er {count} møder på en uge.", "There are {count} meetings in one week."),
    "collision": ("Flere møder ligger på samme tid {when}.", "Several meetings are at the same time {when}."),
    "plans": ("Der er {count} planer på samme tid.", "There are {count} plans at the same time."),
    "named_plans": (
        "Der er {count} planer på samme tid: {plans}.",
        "There are {count} plans at the same time: {plans}.",
    ),
    "people": (
        "{count} personer hjælper, men der er ingen, som samler det hele.",
        "{count} people help, but none coordinates.",
    ),
    "begins": ("Det begynder {day}.", "It begins on {day}."),
    "no_start": ("Der er ikke sat en dag for starten.", "No day is set for the start."),
    "source_silent": (
        "En kilde har ikke svaret. Der kan mangle oplysninger.",
        "A source has not answered. Information may be missing.",
    ),
    "few_contacts": (
        "Kommunens forsøg kræver {needed} samtaler i alt i perioden. Du kan se {held}.",
        "The municipality's trial takes {needed} talks in all in the period. You can see {held}.",
    ),
    "no_employment": ("Du kan ikke se nogen aktuel indsats om job.", "You can see no current help towards a job."),
    "reduced": (
        "Du kan kun se indsats på ét område eller slet ingen. Derfor viser vi ikke et samlet overblik.",
        "You can see help in one area only, or in none. So we show no joint view.",
    ),
    "computed_without": (
        "Vi har ikke svar fra alle kilder. Der kan være mere, som falder sammen.",
        "Not all sources have answered. There may be more that falls together.",
    ),
}
SUGGESTIONS: dict[str, Phrase] = {
    "O1": ("Tal sammen om, hvem der kommer hvornår.", "Talk about who comes when."),
    "O2": ("Tal sammen om, hvilken hjælp der passer bedst.", "Talk about which help fits best."),
    "O3": ("Tal sammen om, hvad personen kan klare.", "Talk about what the person can manage."),
    "O4": ("Se først på det, der allerede er undersøgt.", "First look at what has been assessed already."),
    "O5": ("Se først, om den nye erklæring er nødvendig.", "First see whether the new statement is needed."),
    "O6": ("Tal sammen om, hvilken hjælp der passer bedst.", "Talk about which help fits best."),
    "O7": ("Tal sammen om, hvilke møder der kan samles.", "Talk about which meetings can be joined."),
    "O8": (
        "Tal sammen om én samlet plan. Det kræver, at borgeren siger ja.",
        "Talk about one joint plan. It takes the citizen's yes.",
    ),
    "O9": ("Aftal, hvem der har det samlede overblik.", "Agree on who coordinates."),
}
# The same, said to the one it is about.
OWN_SUGGESTIONS: dict[str, Phrase] = {
    "O1": ("Du kan tale med dem om, hvem der kommer hvornår.", "You can talk with them about who comes when."),
    "O2": (
        "Du kan tale med dem om, hvilken hjælp der passer dig.",
        "You can talk about which help fits you.",
    ),
    "O3": ("Du kan tale med dem om, hvad du kan klare.", "You can talk with them about what you can manage."),
    "O4": ("Du kan spørge, om det er undersøgt før.", "You can ask whether it has been assessed before."),
    "O5": ("Du kan spørge, om der er brug for den nye.", "You can ask whether the new one is needed."),
    "O6": (
        "Du kan tale med dem om, hvilken hjælp der passer dig.",
        "You can talk about which help fits you.",
    ),
    "O7": ("Du kan spørge, om nogle af dem kan samles.", "You can ask whether some of them can be joined."),
    "O8": ("Du kan bede om én samlet plan.", "You can ask for one joint plan."),
    "O9": ("Du kan spørge, hvem der samler det hele.", "You can ask who coordinates."),
}
