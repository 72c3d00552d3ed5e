-- The social centre's own schema, and beside it the one schema that others may read: a view a category.
CREATE SCHEMA intern;

CREATE TABLE intern.borgere (cpr char(10) PRIMARY KEY, navn text NOT NULL, adresse text, telefon text);
CREATE TABLE intern.sager (
    sagsnr text PRIMARY KEY,
    cpr char(10) NOT NULL REFERENCES intern.borgere,
    overskrift text NOT NULL,
    enhed text NOT NULL,
    sagsbehandler text,
    telefon text,
    koordinator boolean,
    aabnet date NOT NULL,
    afsluttet date
);
CREATE TABLE intern.indsatser (
    indsatsnr text PRIMARY KEY,
    sagsnr text NOT NULL REFERENCES intern.sager,
    ydelse text NOT NULL,
    formaal text,
    krav text[],
    afgoerelsesnr text,
    lov text,
    paragraf text,
    kle text NOT NULL,
    startdato date NOT NULL,
    slutdato date,
    status text NOT NULL,
    medarbejder text,
    timer_pr_uge numeric
);
CREATE TABLE intern.besoegstider (
    indsatsnr text NOT NULL REFERENCES intern.indsatser,
    ugedage smallint[] NOT NULL,  -- 1 is Monday (ISO 8601).
    fra time NOT NULL,
    til time NOT NULL
);
CREATE TABLE intern.planer (
    plannr text PRIMARY KEY,
    sagsnr text NOT NULL REFERENCES intern.sager,
    plantype text NOT NULL,
    titel text NOT NULL,
    lov text,
    paragraf text,
    kle text,
    startdato date NOT NULL,
    slutdato date,
    opfoelgning date,
    status text NOT NULL
);
CREATE TABLE intern.planmaal (
    plannr text NOT NULL REFERENCES intern.planer,
    nr integer NOT NULL,
    maal text NOT NULL,
    behov text,
    PRIMARY KEY (plannr, nr)
);
CREATE TABLE intern.udredninger (
    udredningsnr text PRIMARY KEY,
    sagsnr text NOT NULL REFERENCES intern.sager,
    metode text NOT NULL,
    emner text[] NOT NULL,
    kle text,
    paabegyndt date,
    afsluttet date,
    status text NOT NULL,
    sammenfatning text
);
CREATE TABLE intern.foelsomme_oplysninger (
    oplysningsnr text PRIMARY KEY,
    sagsnr text NOT NULL REFERENCES intern.sager,
    art text NOT NULL,
    kle text,
    dato date NOT NULL,
    tekst text NOT NULL
);
CREATE TABLE intern.laegeerklaeringer (
    erklaeringsnr text PRIMARY KEY,
    sagsnr text NOT NULL REFERENCES intern.sager,
    blanket text NOT NULL,
    emne text,
    bestilt date,
    modtaget date,
    status text NOT NULL
);
CREATE TABLE intern.ophold (
    opholdsnr text PRIMARY KEY,
    sagsnr text NOT NULL REFERENCES intern.sager,
    tilbud text NOT NULL,
    adresse text,
    kle text,
    fra date NOT NULL,
    til date
);

CREATE SCHEMA udveksling;

CREATE VIEW udveksling.p01_personer WITH (security_barrier) AS
SELECT cpr, navn FROM intern.borgere;

CREATE VIEW udveksling.p02_adresser WITH (security_barrier) AS
SELECT cpr, adresse, telefon FROM intern.borgere WHERE adresse IS NOT NULL;

CREATE VIEW udveksling.p03_kontaktpersoner WITH (security_barrier) AS
SELECT cpr, sagsnr, sagsbehandler, telefon, coalesce(koordinator, false) AS koordinator, enhed, aabnet, afsluttet
FROM intern.sager WHERE sagsbehandler IS NOT NULL;

-- Interventions with their weekly visits, one object a weekday and time.
CREATE VIEW intern.indsatser_med_tider AS
SELECT
    s.cpr, i.indsatsnr, i.ydelse, i.formaal, coalesce(i.krav, '{}') AS krav, i.afgoerelsesnr, i.lov, i.paragraf,
    i.kle, i.startdato, i.slutdato, i.status, i.medarbejder, i.timer_pr_uge, s.enhed,
    coalesce(
        (
            SELECT jsonb_agg(
                jsonb_build_object('ugedag', dag, 'fra', to_char(b.fra, 'HH24:MI'), 'til', to_char(b.til, 'HH24:MI'))
                ORDER BY dag, b.fra
            )
            FROM intern.besoegstider AS b CROSS JOIN unnest(b.ugedage) AS dag WHERE b.indsatsnr = i.indsatsnr
        ),
        '[]'
    ) AS besoegstider
FROM intern.indsatser AS i JOIN intern.sager AS s USING (sagsnr);

-- That somebody is treated for abuse (27.51) or lives in a crisis centre (27.57) is sensitive in itself:
-- such interventions stand in views of their own, never among the ordinary ones.
CREATE VIEW udveksling.s01_indsatser WITH (security_barrier) AS
SELECT * FROM intern.indsatser_med_tider WHERE kle NOT LIKE '27.51.%' AND kle NOT LIKE '27.57.%';

CREATE VIEW udveksling.h07_misbrugsbehandling WITH (security_barrier) AS
SELECT * FROM intern.indsatser_med_tider WHERE kle LIKE '27.51.%';

CREATE VIEW udveksling.s02_handleplaner WITH (security_barrier) AS
SELECT
    s.cpr, p.plannr, p.plantype, p.titel, p.lov, p.paragraf, p.kle, p.startdato, p.slutdato, p.opfoelgning,
    p.status, s.sagsbehandler, s.enhed,
    coalesce(
        (
            SELECT jsonb_agg(jsonb_build_object('nr', m.nr, 'maal', m.maal, 'behov', m.behov) ORDER BY m.nr)
            FROM intern.planmaal AS m WHERE m.plannr = p.plannr
        ),
        '[]'
    ) AS maal
FROM intern.planer AS p JOIN intern.sager AS s USING (sagsnr);

CREATE VIEW udveksling.s03_udredninger WITH (security_barrier) AS
SELECT
    s.cpr, u.udredningsnr, u.metode, u.emner, u.kle, u.paabegyndt, u.afsluttet, u.status, u.sammenfatning, s.enhed
FROM intern.udredninger AS u JOIN intern.sager AS s USING (sagsnr);

CREATE VIEW udveksling.s04_foelsomme_oplysninger WITH (security_barrier) AS
SELECT s.cpr, f.oplysningsnr, f.art, f.kle, f.dato, f.tekst, s.enhed
FROM intern.foelsomme_oplysninger AS f JOIN intern.sager AS s USING (sagsnr);

CREATE VIEW udveksling.s05_ophold WITH (security_barrier) AS
SELECT s.cpr, o.opholdsnr, o.tilbud, o.adresse, o.kle, o.fra, o.til, s.enhed
FROM intern.ophold AS o JOIN intern.sager AS s USING (sagsnr);

CREATE VIEW udveksling.h04_laegeerklaeringer WITH (security_barrier) AS
SELECT s.cpr, l.erklaeringsnr, l.blanket, l.emne, l.bestilt, l.modtaget, l.status, s.enhed
FROM intern.laegeerklaeringer AS l JOIN intern.sager AS s USING (sagsnr);

REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA udveksling TO udveksling_laeser;
GRANT SELECT ON ALL TABLES IN SCHEMA udveksling TO udveksling_laeser;
