"""Look whether the database still guards the log as the files in `sql` laid it: functions, callers, and who may write.

Roles are known by the names that the files give them.

A superuser passes every fence of a database; this tells afterwards that one was taken down or built around. What was
done to the entries meanwhile is found by `audit.verify`, fences or not.
"""

import re
from collections import defaultdict
from collections.abc import Iterator
from importlib.resources import files
from typing import Any

from audit.faults import Fault
from audit.postgres import Connection

_FUNCTION = re.compile(r"^CREATE(?: OR REPLACE)? FUNCTION log\.(\w+)\((.*?)AS \$\$(.*?)\$\$$", re.DOTALL | re.MULTILINE)
_GRANT = re.compile(r"^GRANT EXECUTE ON FUNCTION\s(.+?)\sTO\s([\w, ]+)$", re.DOTALL | re.MULTILINE)
_WRITES = ("INSERT", "UPDATE", "DELETE", "TRUNCATE", "TRIGGER")


async def faults(connection: Connection) -> list[Fault]:
    """Name each fence that does not stand as it was laid; raise asyncpg.PostgresError where that cannot be seen."""
    rights = await connection.fetch(_RIGHTS, list(_WRITES))
    return [
        *_functions(await connection.fetch(_FUNCTIONS)),
        *_callers(await connection.fetch(_CALLERS)),
        *(
            Fault("log.*", f"{row['name']} may act as its owner")
            for row in await connection.fetch(_OWNERS, [role for _, role in _granted()])
        ),
        *(Fault(f"log.{row['name']}", row["what"]) for row in await connection.fetch(_BUILT_AROUND)),
        *(Fault(f"log.{row['name']}", f"{row['grantee']} may {row['privilege']}") for row in rights),
    ]


def _files() -> list[str]:
    return [file.read_text(encoding="utf-8") for file in files("audit").joinpath("sql").iterdir()]


def _parts() -> list[dict[str, tuple[bool, str]]]:
    """Read the functions out of the files, a file each: whether one runs as its owner, and its body."""
    laid = [_FUNCTION.findall(file) for file in _files()]
    return [{name: ("SECURITY DEFINER" in head, body) for name, head, body in part} for part in laid]


def _granted() -> set[tuple[str, str]]:
    """Read out of the files who may call which function."""
    return {
        (name.strip(), role.strip())
        for file in _files()
        for names, roles in _GRANT.findall(file)
        for name in names.split(",")
        for role in roles.split(",")
    }


def _callers(found: list[Any]) -> Iterator[Fault]:
    """Name whoever may call a function of the log and is not given it in the files."""
    granted = _granted()
    for row in found:
        if (f"log.{row['name']}", row["grantee"]) not in granted:
            yield Fault(f"log.{row['name']}", f"{row['grantee'] or 'everybody'} may call it")


def _functions(found: list[Any]) -> Iterator[Fault]:
    names, laid = {row["name"] for row in found}, defaultdict[str, set[tuple[bool, str]]](set)
    parts = _parts()
    for part in parts:
        for name, form in part.items():
            laid[name].add(form)
        # A part of which nothing of its own is here was never laid; the append always is.
        elsewhere = {name for other in parts if other is not part for name in other}
        if names & (part.keys() - elsewhere) or "append" in part:
            yield from (Fault(f"log.{name}", "the function is gone") for name in sorted(part.keys() - names))
    for row in found:
        where = f"log.{row['name']}"
        if row["name"] not in laid:
            yield Fault(where, "is not one of the log's functions")
        elif (row["definer"], row["body"]) not in laid[row["name"]]:
            yield Fault(where, "is not the function that was laid")
        elif not row["guarded"]:
            yield Fault(where, "does not run as the log's owner, or not with a path of its own")


_FUNCTIONS = """
SELECT p.proname AS name, p.prosrc AS body, p.prosecdef AS definer,
       p.proowner = n.nspowner
           AND (NOT p.prosecdef OR 'search_path=pg_catalog, pg_temp' = ANY (coalesce(p.proconfig, '{}'))) AS guarded
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
WHERE n.nspname = 'log' ORDER BY p.proname
"""
# A function whose rights nobody has touched is everybody's to call.
_CALLERS = """
SELECT p.proname AS name, nullif(a.grantee, 0)::regrole::text AS grantee
FROM pg_catalog.pg_proc p JOIN pg_catalog.pg_namespace n ON n.oid = p.pronamespace
CROSS JOIN LATERAL pg_catalog.aclexplode(coalesce(p.proacl, pg_catalog.acldefault('f', p.proowner))) AS a
WHERE n.nspname = 'log' AND a.privilege_type = 'EXECUTE' AND a.grantee <> p.proowner
ORDER BY 1, 2
"""
_OWNERS = """
SELECT r.rolname AS name FROM pg_catalog.pg_roles r JOIN pg_catalog.pg_namespace n ON n.nspname = 'log'
WHERE r.rolname = ANY ($1::text[]) AND pg_catalog.pg_has_role(r.oid, n.nspowner, 'MEMBER') ORDER BY 1
"""
_BUILT_AROUND = """
WITH tables AS (
    SELECT c.oid, c.relname, c.relowner, c.relkind, n.nspowner FROM pg_catalog.pg_class c
    JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
    WHERE n.nspname = 'log' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
)
SELECT t.relname AS name, 'has a trigger' AS what FROM tables t JOIN pg_catalog.pg_trigger g ON g.tgrelid = t.oid
UNION ALL
SELECT t.relname, 'has a rule' FROM tables t JOIN pg_catalog.pg_rewrite r ON r.ev_class = t.oid
UNION ALL
SELECT t.relname, 'belongs to another than the log''s owner' FROM tables t WHERE t.relowner <> t.nspowner
UNION ALL
SELECT '*', 'its owner may log in' FROM pg_catalog.pg_namespace n JOIN pg_catalog.pg_roles r ON r.oid = n.nspowner
WHERE n.nspname = 'log' AND r.rolcanlogin
ORDER BY 1, 2
"""
_RIGHTS = """
SELECT c.relname AS name, a.privilege_type AS privilege,
       CASE a.grantee WHEN 0 THEN 'everybody' ELSE pg_catalog.pg_get_userbyid(a.grantee) END AS grantee
FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace
CROSS JOIN LATERAL (
    SELECT x.grantee, x.privilege_type FROM pg_catalog.aclexplode(c.relacl) AS x
    UNION SELECT x.grantee, x.privilege_type
    FROM pg_catalog.pg_attribute t CROSS JOIN LATERAL pg_catalog.aclexplode(t.attacl) AS x WHERE t.attrelid = c.oid
) AS a
WHERE n.nspname = 'log' AND c.relkind IN ('r', 'p', 'v', 'm', 'f')
    AND a.grantee <> c.relowner AND a.privilege_type = ANY ($1)
ORDER BY 1, 2, 3
"""
