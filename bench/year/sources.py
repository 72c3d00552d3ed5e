"""Public accounts of snooping that the shares of the played year lean on, as far as they go."""

from __future__ import annotations

_REGIONS = "https://politiken.dk/indland/art7567095/I-hele-landet-snager-personale-i-vores-intime-sundhedsoplysninger"
_POLICE = (
    "https://www.jv.dk/danmark/Sundhedsansatte-afsloeret-i-at-snage-i-patienters-medicinforbrug-50-sager-sendt-til-"
    "politiet/artikel/2706212"
)
_DOCTOR = "https://www.bt.dk/samfund/region-hovedstaden-lovede-at-stramme-op-for-kontrollen-alligevel-kunne-laege-snage"
_OSLO = "https://fagbladet2.com/fagbladet/pdfindex/text/2013/08/Fagbladet-2013-08-KON-side32.html"
_ACTOR = "https://www.beckershospitalreview.com/ehrs/ehr-snooping-best-efforts-to-bust-punish-and-prevent-it.html"

SOURCES = (
    (
        "444 employees of a large hospital in seven months; of those not warned 40 % did it again, of the others 2 %",
        "JAMA Network Open 2022",
        "https://jamanetwork.com/journals/jamanetworkopen/fullarticle/2791007",
    ),
    (
        "1,490 suspicious or wrongful look-ups in Danish regions' journals in some years; often the patient found it",
        "Politiken",
        _REGIONS,
    ),
    (
        "typically somebody they know, a former partner most of all; 50 cases sent to the police",
        "Sundhedsdatastyrelsen, in JydskeVestkysten",
        _POLICE,
    ),
    ("one doctor looked at 1,230 people in about five years; a citizen who read her own log found it", "B.T.", _DOCTOR),
    ("about fifty employees dismissed over one actor's journal", "Becker's", _ACTOR),
    (
        "police staff looked at family, former colleagues, a former partner's former partner",
        "Big Brother Watch",
        "https://bigbrotherwatch.org.uk/2014/02/police-staff-forced-quit-snooping-familes-lovers/",
    ),
    (
        "flags for family or colleagues fire oftener than expected, and five simple reasons explain 16 to 43 % of them",
        "Hedda et al. 2018",
        "https://pmc.ncbi.nlm.nih.gov/articles/PMC5977720",
    ),
    (
        "learned models saw 76 and 79 % of 58 accesses found wrongful by investigation, the baseline none",
        "Boxwala et al. 2011",
        "https://pmc.ncbi.nlm.nih.gov/articles/PMC3128412",
    ),
    ("samples by chance: a needle in a haystack", "Oslo universitetssykehus, in Fagbladet", _OSLO),
)
