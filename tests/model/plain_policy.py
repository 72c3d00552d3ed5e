"""The policy once more, in plain Python: read it beside `policies/*.rego`. What both say alike is what we mean.

It is written key by key, where the rules work on sets of keys, so that one mistake is hard to make twice.
"""

from collections.abc import Mapping
from typing import Any

Row = Mapping[str, Any]
Codes = set[str]
BORDER = {"NO_DELEGATION", "DELEGATION_EXPIRED", "OUTSIDE_DELEGATION"}


def plain_decision(question: Row, tables: Row) -> dict[str, Any]:
    """Give the decision of `broker/share` for a well-formed question."""
    model = _Model(question, tables)
    return {"schema": "borgerbro/decision/1", "verdicts": [model.verdict(key) for key in question["keys"]]}


def _covers(limit: str, kle: str | None) -> bool:
    if kle is None:
        return False
    if limit.endswith(".*"):
        return kle == limit[:-2] or kle.startswith(limit[:-1])
    return kle == limit


class _Model:
    def __init__(self, question: Row, tables: Row) -> None:
        self.q, self.t = question, tables
        self.today = question["today"]
        self.caller, self.case, self.ask = question["caller"], question["case"], question["ask"]
        self.people = {subject["handle"]: subject for subject in question["subjects"]}
        self.citizen = self.people.get(self.ask["citizen"])
        self.purpose = tables["purposes"].get(
            self.ask["purpose"], {"categories": [], "consent_bases": [], "statutes": []}
        )
        self.answered = not question["failed_registers"]
        yes_counts = bool(self.purpose["consent_bases"])
        self.lines = [line for line in question["consents"] if yes_counts and self._is_ours(line)]
        self.live = [line for line in self.lines if self._is_standing(line) and self._meets_ask(line)]

    def verdict(self, key: Row) -> dict[str, Any]:
        own = self._is_own(key)
        nothing: dict[str, Any] = {"basis": [], "reasons": [], "shown": [], "masks": [], "missing": [], "periods": []}
        answer = {**key, "own": own, "outcome": "withhold"} | nothing
        for stage in (self._caller, self._case, self._purpose, self._person, self._consent):
            codes = stage(key)
            if codes:
                told = self._told(codes)
                wanting = stage == self._consent or (stage == self._person and not told)
                missing = self._missing(key) if wanting else []
                shown = told or (self._supposed(key) if wanting else set()) or {"NO_CONSENT"}
                return answer | {"reasons": sorted(codes), "shown": sorted(shown), "missing": missing}
        masks = self._masks(key)
        told = {"basis": self._basis(key), "masks": masks, "periods": self._periods(key)}
        return answer | {"outcome": "mask" if masks else "release", **told}

    # Stage 1

    def _caller(self, key: Row) -> Codes:
        codes = set()
        if self.caller["nsis"] not in self.t["settings"]["nsis_levels"]["accepted"]:
            codes.add("NSIS_TOO_LOW")
        if self.answered and not self.caller["employed"]:
            codes.add("ROLE_EXPIRED")
        if self.caller["unit"] not in self.caller["system_units"]:
            codes.add("ROLE_KLE")
        if self._case_is_citizens() or self._is_emergency():
            codes |= self._roles(key)
        return codes

    def _roles(self, key: Row) -> Codes:
        roles = self._covering()
        if not roles:
            return {"ROLE_EXPIRED"} if self._on_subject() else {"ROLE_KLE"}
        if self._purpose(key):
            return set()
        category = self.t["categories"][key["category"]]
        giving = [role for role in roles if self._gives(role, key)]
        codes = set() if giving else {"ROLE_KLE"}
        if giving and category["level"] > max(role["sensitivity"] for role in giving):
            codes.add("ROLE_SENSITIVITY")
        if self.t["municipalities"].get(self.caller["municipality"], {}).get("strict_kle"):
            limits = [limit for role in roles for limit in role["kle"]]
            if category["kle"] and not any(_covers(limit, kle) for limit in limits for kle in category["kle"]):
                codes.add("ROLE_KLE")
        return codes

    def _covering(self) -> list[Row]:
        return [role for role in self._on_subject() if self._is_attested(role)]

    def _on_subject(self) -> list[Row]:
        return [role for role in self.caller["roles"] if self._role_is_for(role)]

    def _role_is_for(self, role: Row) -> bool:
        covers = any(_covers(limit, self.case["kle"]) for limit in role["kle"])
        if self._is_emergency():
            rule = self.t["settings"]["emergency"]
            return role["name"] == rule["role"] and (covers or "case_kle" in rule["relaxed"])
        if role["name"] in self.t["settings"]["roles"]["without_view"] or not self._may_ask(role):
            return False
        return covers and self._reaches_citizen(role)

    def _is_attested(self, role: Row) -> bool:
        rules = self.t["settings"]["roles"]
        if role["attested_on"] is None:
            return role["name"] not in rules["must_be_attested"]
        return bool(role["attested_on"] <= self.today <= role["attested_on"] + 10000 * rules["attested_within_years"])

    def _may_ask(self, role: Row) -> bool:
        bound = self.t["settings"]["roles"]["bounds"].get(role["name"])
        return bound is None or bound["any_purpose"] or self.ask["purpose"] in bound["purposes"]

    def _reaches_citizen(self, role: Row) -> bool:
        if role["delegated_from"] is None or not self._is_on_case():
            return True
        return role["delegated_from"] == self.citizen["municipality"] != self.caller["municipality"]

    def _gives(self, role: Row, key: Row) -> bool:
        bound = self.t["settings"]["roles"]["bounds"].get(role["name"])
        if bound is None:
            return True
        of_kind = bound["any_category"] or key["category"] in bound["categories"]
        return of_kind and (not bound["own_only"] or self._is_own(key))

    # Stage 2

    def _case_is_citizens(self) -> bool:
        known = self.citizen is not None and self.citizen["known"]
        return bool(self.answered and known and self.case["exists"] and self.case["concerns_citizen"])

    def _case(self, key: Row) -> Codes:
        if not self.answered:
            return {"SOURCE_UNAVAILABLE"}
        if self._is_emergency():
            return self._call_out(key)
        return self._relation()

    def _relation(self) -> Codes:
        if not self._case_fits():
            return {"CASE_MISMATCH"}
        if not self.case["caseworker_on_case"]:
            return {"NO_CASE_RELATION"}
        return self._delegation()

    def _case_fits(self) -> bool:
        return self._case_is_citizens() and self.case["open"] and self.case["unit"] == self.caller["unit"]

    def _is_on_case(self) -> bool:
        return self._case_fits() and self.case["caseworker_on_case"]

    def _delegation(self) -> Codes:
        home, here = self.citizen["municipality"], self.caller["municipality"]
        if home == here:
            return set()
        made = [
            row
            for row in self.t["delegations"].values()
            if (row["from_municipality"], row["to_municipality"]) == (home, here)
        ]
        if not made:
            return {"NO_DELEGATION"}
        in_force = [row for row in made if self._is_today(row)]
        if not in_force:
            return {"DELEGATION_EXPIRED"}
        covered = any(_covers(limit, self.case["kle"]) for row in in_force for limit in row["kle"])
        return set() if covered else {"OUTSIDE_DELEGATION"}

    # Stage 2 in an emergency

    def _is_emergency(self) -> bool:
        return self.ask["emergency"] is not None

    def _call_out(self, key: Row) -> Codes:
        codes = set() if self._is_opened(key) else {"EMERGENCY_NOT_JUSTIFIED"}
        relaxed = self.t["settings"]["emergency"]["relaxed"]
        if "case" not in relaxed:
            codes |= self._relation() if "residence" not in relaxed else self._relation() - BORDER
        elif "residence" not in relaxed and self.citizen is not None:
            codes |= self._delegation()
        return codes

    def _is_opened(self, key: Row) -> bool:
        home = self.t["sources"].get(key["source"], {}).get("unit")
        place = self.t["categories"].get(key["category"], {}).get("place", False)
        return any(
            key["subject"] == self.ask["citizen"]
            and key["source"] in request["sources"]
            and self._has_opened(home, request)
            and (not place or self._goes_there(request))
            for request in self._requests()
        )

    def _requests(self) -> list[Row]:
        """Find what stands behind the ask: this request, of this caseworker, about this citizen and call-out."""
        if self.ask["purpose"] != self.t["settings"]["emergency"]["purpose"]:
            return []
        if self.citizen is None or not self.citizen["known"]:
            return []
        wanted = (self.ask["emergency"], self.ask["citizen"], self.ask["case"])
        who = (self.caller["unit"], self.caller["handle"])
        return [
            row
            for row in self.q["emergency"]
            if (row["id"], row["citizen"], row["case"]) == wanted and (row["unit"], row["caseworker"]) == who
        ]

    def _has_opened(self, unit: str | None, request: Row) -> bool:
        mine = self.caller["unit"]
        if unit is None or unit == mine or not self._rescues(unit):
            return False
        answers = [row for row in request["answers"] if row["unit"] == unit and row["by"] != request["caseworker"]]
        if any(row["said"] == "no" for row in answers):
            return False
        standing = any(
            row["unit"] == unit and mine in row["to_units"] and self._is_today(row)
            for row in self.t["standing_approvals"].values()
        )
        since = [row["at"] for row in answers] + ([request["requested_at"]] if standing else [])
        seconds = 3600 * self.t["settings"]["emergency"]["hours"]
        return any(at <= self.q["at"] < at + seconds for at in since)

    def _rescues(self, unit: str) -> list[str]:
        """Name the statutes in force that let this unit tell ours in an emergency."""
        kinds = {name: row["kind"] for name, row in self.t["units"].items()}
        return [
            name
            for name in self.purpose["statutes"]
            for row in [self.t["statutes"][name]]
            if "emergency" in row["conditions"]
            and self._is_today(row)
            and kinds.get(unit) in row["from_units"]
            and kinds.get(self.caller["unit"]) in row["to_units"]
        ]

    def _goes_there(self, request: Row) -> bool:
        reason = self.t["settings"]["emergency"]["reasons"].get(request["reason"], {"address": False})
        return bool(reason["address"])

    def _is_placed(self, key: Row) -> bool:
        return self._is_opened(key) and any(self._goes_there(request) for request in self._requests())

    # Stage 3

    def _purpose(self, key: Row) -> Codes:
        category = self.t["categories"].get(key["category"])
        held = self.t["sources"].get(key["source"], {}).get("categories", [])
        fits = category and not category["never"] and key["category"] in held
        kept = self.t["municipalities"].get(self.caller["municipality"], {}).get("purposes", {})
        used = key["category"] in kept.get(self.ask["purpose"], [key["category"]])
        bounded = fits and used and key["category"] in self.purpose["categories"]
        founded = self._is_own(key) or self._law_of_yes(key) or not self.purpose["consent_bases"]
        return set() if bounded and founded else {"PURPOSE_MISMATCH"}

    # Stage 4

    def _person(self, key: Row) -> Codes:
        subject = self.people.get(key["subject"])
        codes = set()
        if self.q["related"]:
            codes.add("SELF_OR_RELATED")
        if self.case["vip"] and not self._has_vip_grounds():
            codes.add("VIP_NO_GROUNDS")
        if self._is_dead(self.citizen):
            codes.add("SUBJECT_DECEASED")
        is_place = self.t["categories"][key["category"]]["place"]
        if self._is_hidden(subject) and is_place and not self._is_placed(key):
            codes.add("ADDRESS_PROTECTED")
        if subject is None or not subject["known"]:
            codes.add("CUSTODY_UNKNOWN")
        if subject is not None and self._takes_consent(key):
            codes |= self._whose_yes(key, subject)
        return codes

    def _has_vip_grounds(self) -> bool:
        level = self.t["settings"]["vip"]["level"]
        high = any(role["sensitivity"] >= level for role in self._covering())
        return high and bool(self.case["caseworker_named"])

    def _whose_yes(self, key: Row, subject: Row) -> Codes:
        codes = set()
        age = self._age(subject)
        orphan = self._is_dead(subject) or not self._holders(subject)
        if age is None or (orphan and (subject["child_of_citizen"] or age < 18)):
            codes.add("CUSTODY_UNKNOWN")
        someone = any(self._is_about(line, key) for line in self.live)
        self_said = self._said(key, self._voices(key, subject))
        if someone and not self_said:
            if age is not None and 15 <= age < 18 and self._young_person(key) is not None:
                codes.add("CHILD_OWN_CONSENT")
            if age is not None and age >= 18 and subject["representatives"]:
                codes.add("GUARDIAN_SCOPE")
        return codes

    def _is_dead(self, subject: Row) -> bool:
        return subject["dead_on"] is not None and subject["dead_on"] <= self.today

    def _is_hidden(self, subject: Row | None) -> bool:
        return subject is None or subject["protected"] is not False or self.citizen["protected"] is not False

    def _age(self, subject: Row) -> int | None:
        born: int | None = subject["born"]
        return None if born is None else (self.today - born) // 10000

    def _holders(self, subject: Row) -> set[str]:
        return {row["holder"] for row in subject["custody"] if self._is_today(row)}

    def _voices(self, key: Row, subject: Row) -> set[str]:
        """Give whose yes counts as the person's own in what the key is about."""
        rows = [] if self._is_minor(subject) else [row for row in subject["representatives"] if self._speaks(row, key)]
        kinds = self.t["settings"]["representation"]["kinds"]
        own = set() if any(kinds[row["kind"]]["silences"] for row in rows) else {subject["handle"]}
        return own | {row["holder"] for row in rows}

    def _speaks(self, row: Row, key: Row) -> bool:
        kind = self.t["settings"]["representation"]["kinds"].get(row["kind"])
        if kind is None or not kind["speaks"] or not self._is_today(row):
            return False
        return {self.t["categories"][key["category"]]["area"], *kind["must_name"]} <= set(row["scope"])

    def _is_minor(self, subject: Row) -> bool:
        age = self._age(subject)
        return age is not None and age < 18

    def _young_person(self, key: Row) -> str | None:
        way: str | None = self.t["categories"][key["category"]]["young_person"]
        return way

    # Stage 5

    def _consent(self, key: Row) -> Codes:
        if not self._takes_consent(key):
            return set()
        lacking = self._lacking(key)
        codes = self._why_not(key, lacking) if lacking else set()
        return codes | {"BLOCKED_BY_CITIZEN"} if self._is_blocked(key) else codes

    def _lacking(self, key: Row) -> set[str]:
        """Tell whose yes is still lacking: `subject`, `holders`, both, or nobody's."""
        subject = self._person_of(key)
        age = self._age(subject)
        young = self._young_person(key) if age is not None and 15 <= age < 18 else None
        self_said = self._said(key, self._voices(key, subject))
        lacking = set()
        if (age is None or age >= 18 or young is not None) and not self_said:
            lacking.add("subject")
        if age is not None and age < 18 and young != "alone" and not self._holders_agree(key, subject):
            lacking.add("holders")
        return lacking

    def _holders_agree(self, key: Row, subject: Row) -> bool:
        holders = self._holders(subject)
        said = {holder for holder in holders if self._said(key, {holder})}
        return bool(said) and (said == holders or not self._takes_all(key))

    def _takes_all(self, key: Row) -> bool:
        category, custody = self.t["categories"][key["category"]], self.t["settings"]["custody"]
        every: bool = category["level"] >= custody["all_holders_from_level"] or (
            category["child"] and custody["all_holders_for_child_categories"]
        )
        return every

    def _why_not(self, key: Row, lacking: set[str]) -> Codes:
        subject = self._person_of(key)
        age = self._age(subject)
        young = self._young_person(key) if age is not None and 15 <= age < 18 else None
        held = self._is_held(subject)
        half = held and self._said(key, self._holders(subject)) and not self._holders_agree(key, subject)
        if half or (young == "together" and "subject" not in lacking):
            return {"CUSTODY_INCOMPLETE"}
        idle = {self._why_idle(line) for line in self.lines if self._is_about(line, key)} - {None}
        told = {str(why) for why in idle if why != "NO_CONSENT"}
        if idle:
            return told or {"NO_CONSENT"}
        if not self.purpose["consent_bases"]:
            return {self.t["statutes"][row]["otherwise"] for row in self.purpose["statutes"]}
        if self._is_too_general(key):
            return {"CONSENT_TOO_GENERAL"}
        return {self._scope(key)}

    def _is_too_general(self, key: Row) -> bool:
        """Tell whether a yes that names nothing one by one would cover this."""
        general = self.t["settings"]["consents"]["too_general"]
        return any(
            line["subject"] == key["subject"]
            and line["source"] in [*general, key["source"]]
            and line["category"] in [*general, key["category"]]
            and {line["source"], line["category"]} & set(general)
            for line in self.live
        )

    def _is_given_elsewhere(self, key: Row) -> bool:
        """Tell whether the yes was given to another unit."""
        return any(
            self._is_about(line, key)
            and line["recipient"] != self.caller["unit"]
            and line["purpose"] == self.ask["purpose"]
            and line["state"] == "granted"
            and self._is_today(line)
            for line in self.q["consents"]
        )

    def _why_idle(self, line: Row) -> str | None:
        if line["state"] == "withdrawn":
            return "CONSENT_REVOKED"
        if line["to"] < self.today or self._is_outlived(line):
            return "CONSENT_EXPIRED"
        if line["from"] > self.today:
            return "CONSENT_NOT_YET_VALID"
        if line["state"] == "paused":
            return "NO_CONSENT"
        return None if self._meets_ask(line) else "OUT_OF_SCOPE_PERIOD"

    def _scope(self, key: Row) -> str:
        pairs = {(line["source"], line["category"]) for line in self.live}
        nowhere = "OUT_OF_SCOPE_RECIPIENT" if self._is_given_elsewhere(key) else "NO_CONSENT"
        if (key["source"], key["category"]) in pairs:
            return nowhere
        if key["source"] in {source for source, _ in pairs}:
            return "OUT_OF_SCOPE_CATEGORY"
        if key["category"] in {category for _, category in pairs}:
            return "OUT_OF_SCOPE_SOURCE"
        return nowhere

    def _is_blocked(self, key: Row) -> bool:
        return any(
            block["subject"] == key["subject"]
            and block["source"] in (None, key["source"])
            and block["category"] in (None, key["category"])
            and block["unit"] in (None, self.caller["unit"])
            for block in self.q["blocks"]
        )

    # What the asker is told

    def _told(self, codes: Codes) -> Codes:
        return {code for code in codes if self.t["reasons"][code]["caller"]}

    def _supposed(self, key: Row) -> Codes:
        """Say why stage 5 would withhold the key, were the fact that the asker may not learn not there."""
        if not self._takes_consent(key) or self._is_seemingly_complete(key):
            return set()
        return self._told(self._why_not(key, self._lacking(key)))

    def _is_seemingly_complete(self, key: Row) -> bool:
        subject = self._person_of(key)
        if self._age(subject) is not None and not self._lacking(key):
            return True
        if self._is_held(subject):
            return self._holders_agree(key, subject)
        return self._said(key, self._voices(key, subject) | {subject["handle"]})

    def _is_held(self, subject: Row) -> bool:
        age = self._age(subject)
        return bool(subject["child_of_citizen"]) if age is None else age < 18

    def _person_of(self, key: Row) -> Row:
        """Give who the key is about; somebody nothing is known of where the question does not name them."""
        nobody = {
            "handle": key["subject"],
            "born": None,
            "child_of_citizen": False,
            "representatives": [],
            "custody": [],
        }
        return self.people.get(key["subject"], nobody)

    def _missing(self, key: Row) -> list[dict[str, str]]:
        if not self._takes_consent(key) or not self.purpose["consent_bases"]:
            return []
        subject = self._person_of(key)
        age = self._age(subject)
        young = self._young_person(key) if age is not None and 15 <= age < 18 else None
        of_a_child = (
            self.t["categories"][key["category"]]["child"]
            or subject["child_of_citizen"]
            or (age is not None and age < 18 and young != "alone")
        )
        givers = {"custody_holder" if of_a_child else "citizen"}
        unsaid = "subject" in self._lacking(key) or self._is_seemingly_complete(key)
        if young == "together" and key["subject"] == self.ask["citizen"] and unsaid:
            givers.add("citizen")
        return [{"source": key["source"], "category": key["category"], "giver": giver} for giver in sorted(givers)]

    # What goes out

    def _masks(self, key: Row) -> list[str]:
        subject = self.people[key["subject"]]
        masks = []
        if self._is_hidden(subject) and not self._is_placed(key):
            masks.append("address")
        if subject["child_of_citizen"] and self.t["categories"][key["category"]]["child"] and not self._is_own(key):
            masks.append("child_name")
        return masks

    def _basis(self, key: Row) -> list[dict[str, Any]]:
        if self._is_own(key):
            version = self.t["statutes"]["OWN_CASE"]["version"]
            return [{"kind": "own_case", "id": "OWN_CASE", "version": version, "law": "OWN_CASE"}]
        statutes = self._statutes(key)
        if statutes:
            version = {i: self.t["statutes"][i]["version"] for i in statutes}
            return [{"kind": "statute", "id": i, "version": version[i], "law": i} for i in statutes]
        subject = self.people[key["subject"]]
        age = self._age(subject)
        alone = age is None or age >= 18 or (age >= 15 and self._young_person(key) == "alone")
        together = age is not None and 15 <= age < 18 and self._young_person(key) == "together"
        givers = self._voices(key, subject) if alone or together else set()
        givers |= set() if alone else self._holders(subject)
        relied = {
            (line["consent"], line["version"])
            for line in self.live
            if self._is_about(line, key) and line["giver"] in givers
        }
        law = self._law_of_yes(key)
        return [{"kind": "consent", "id": i, "version": version, "law": law} for i, version in sorted(relied)]

    def _periods(self, key: Row) -> list[list[dict[str, int]]]:
        """Give the periods of each voice that names some and nowhere every day; one voice may be several givers'."""
        if self._is_own(key) or self._statutes(key):
            return []
        subject = self.people[key["subject"]]
        age = self._age(subject)
        grown = age is None or age >= 18
        way = self._young_person(key) if not grown and age >= 15 else None
        voices = [self._voices(key, subject)] if grown or way is not None else []
        if not grown and way != "alone":
            holders = self._holders(subject)
            voices += [{holder} for holder in holders] if self._takes_all(key) else [holders]
        spans = [
            {(ln["data_from"], ln["data_to"]) for ln in self.live if self._is_about(ln, key) and ln["giver"] in voice}
            for voice in voices
        ]
        bound = {frozenset(span) for span in spans if span and (0, 99991231) not in span}
        return [[{"from": first, "to": last} for first, last in sorted(span)] for span in bound]

    # What several stages ask

    def _is_own(self, key: Row) -> bool:
        source = self.t["sources"].get(key["source"])
        return source is not None and source["unit"] == self.caller["unit"]

    def _takes_consent(self, key: Row) -> bool:
        return not self._is_own(key) and not self._statutes(key)

    def _statutes(self, key: Row) -> list[str]:
        return [row for row in sorted(self.purpose["statutes"]) if self._reaches(row, key)]

    def _reaches(self, name: str, key: Row) -> bool:
        statute = self.t["statutes"][name]
        reach = statute["purposes"][self.ask["purpose"]]
        if "emergency" in statute["conditions"]:
            return self._is_rescued(key) and key["category"] in reach["categories"]
        on_subject = any(_covers(limit, self.case["kle"]) for limit in reach["case_kle"])
        if not (self._is_between(statute, key) and on_subject and key["category"] in reach["categories"]):
            return False
        if "moved_here" in statute["conditions"]:
            source = self.t["sources"].get(key["source"], {})
            here = self.caller["municipality"]
            if self.citizen["municipality"] != here or source.get("municipality") in (None, here):
                return False
        if "minor_in_family" in statute["conditions"]:
            ages = [self._age(subject) for subject in self.people.values() if subject["known"]]
            if not any(age is not None and age < 18 for age in ages):
                return False
        if "consent_tried" in statute["conditions"] and not self.case["consent_tried"]:
            return False
        return "meeting_within_limit" not in statute["conditions"] or self._may_meet(key["subject"])

    def _may_meet(self, handle: str) -> bool:
        """Tell whether a meeting about someone may be held today: the first, its only follow-up, or one under way."""
        if handle not in self.people:
            return False
        years = self.t["settings"]["meetings"]["window_years"]
        days = {day for day in self.people[handle]["meetings"] if self.today < day + 10000 * years}
        return self.today in days or len(days) == 0 or (len(days) == 1 and self.ask["follow_up"])

    def _is_rescued(self, key: Row) -> bool:
        return self._is_emergency() and self._is_opened(key) and not self._purpose(key)

    def _is_between(self, law: Row, what: Row) -> bool:
        """Tell whether a row of law holds today from the unit that holds this to the unit that asks."""
        giving = self._kind(self.t["sources"].get(what["source"], {}).get("unit"))
        kinds = giving in law["from_units"] and self._kind(self.caller["unit"]) in law["to_units"]
        return kinds and self._is_today(law)

    def _kind(self, unit: str | None) -> str | None:
        kind: str | None = self.t["units"].get(unit, {}).get("kind")
        return kind

    def _law_of_yes(self, what: Row) -> str | None:
        """Name the row of law that a yes to this rests on, if any."""
        for name in self.purpose["consent_bases"]:
            law = self.t["consent_bases"][name]
            if what["category"] in law["purposes"][self.ask["purpose"]] and self._is_between(law, what):
                return str(name)
        return None

    def _is_outlived(self, line: Row) -> bool:
        law = self._law_of_yes(line)
        years = self.t["consent_bases"][law]["form"]["years"] if law else None
        return years is not None and self.today >= line["from"] + 10000 * years

    def _said(self, key: Row, givers: set[str]) -> bool:
        return any(self._is_about(line, key) and line["giver"] in givers for line in self.live)

    def _is_standing(self, line: Row) -> bool:
        return line["state"] == "granted" and self._is_today(line) and not self._is_outlived(line)

    def _meets_ask(self, line: Row) -> bool:
        """Tell whether a line reaches over a day of the data that is asked for."""
        first = max(line["data_from"], self.ask["data_from"])
        return bool(first <= min(line["data_to"], self.ask["data_to"]))

    def _is_about(self, line: Row, key: Row) -> bool:
        return all(line[part] == key[part] for part in ("source", "category", "subject"))

    def _is_ours(self, line: Row) -> bool:
        wanted = (self.caller["unit"], self.ask["purpose"], self.ask["case"])
        return (line["recipient"], line["purpose"], line["case"]) == wanted

    def _is_today(self, window: Row) -> bool:
        return bool(window["from"] <= self.today <= window["to"])
