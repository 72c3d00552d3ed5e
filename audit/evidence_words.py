"""The two READMEs of an evidence package, in Danish and English: the same words in each (`evidence.py`).

They belong to the format: whoever changes a word makes a new one, or packages that were handed out are refused.
"""

_DA = """\
BEVIS FOR EN LINJE I LOGGEN

Her er en linje fra kommunens log over, hvem der har set hvad. Filerne viser tre ting:

1. Linjen siger det, der blev skrevet dengang (index.json og shown.json).
2. Linjen står i loggen (entry.tlog-proof).
3. Loggen er skrevet under af kommunens nøgle og af vidner (checkpoint, tlog-policy).

SÅDAN EFTERPRØVER DU DET

Få kommunens offentlige nøgle fra et andet sted end denne pakke: et brev, et vidne, din egen kopi fra sidste år.
Læg den i en fil, der hedder trusted. Hent programmet borgerbro, og skriv uden net:

    python -m audit verify --evidence PAKKEN.zip --vkey-file trusted

Har du også listen over vidner fra et andet sted, så skriv --policy FIL i stedet for --vkey-file trusted.
Svaret slutter med 0, når alt passer, med 1, når noget ikke passer, og med 2, når det ikke kunne prøves.

MED ANDRES PROGRAMMER

checkpoint og entry.tlog-proof er skrevet i åbne formater (C2SP signed-note og tlog-proof).
Go's golang.org/x/mod/sumdb, sigstore og andre kan læse dem. Hvordan, står i docs/evidence.md.

HVAD DET IKKE VISER

Det viser ikke, at der ikke findes andre linjer om den samme borger.
Der staar ingen navne og ingen CPR-numre i pakken. Borgere og ansatte står som tilfældige tegn.
"""

_EN = """\
EVIDENCE OF ONE LINE OF THE LOG

Here is a line of the municipality's log of who has seen what. The files show three things:

1. The line says what was written then (index.json and shown.json).
2. The line stands on the log (entry.tlog-proof).
3. The log is signed with the municipality's key and by witnesses (checkpoint, tlog-policy).

HOW TO CHECK IT

Get the municipality's public key from somewhere else than this package: a letter, a witness, your own copy of last
year. Put it into a file called trusted. Fetch the program borgerbro, and write, without any network:

    python -m audit verify --evidence THE-PACKAGE.zip --vkey-file trusted

If you have the list of witnesses from elsewhere too, write --policy FILE instead of --vkey-file trusted.
It ends with 0 where all fits, with 1 where something does not, and with 2 where it could not be checked.

WITH OTHERS' PROGRAMS

checkpoint and entry.tlog-proof are of open formats (C2SP signed-note and tlog-proof). Go's golang.org/x/mod/sumdb,
sigstore and others read them. How is told in docs/evidence.md.

WHAT IT DOES NOT SHOW

It does not show that there are no other lines about the same citizen.
There is no name and no CPR number in the package. Citizens and employees stand as random signs.
"""

READMES = {"LAESMIG.txt": _DA.encode(), "README.txt": _EN.encode()}
