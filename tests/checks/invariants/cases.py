"""Rows that offend an invariant and rows that do not, as data: the file's name → what is put in."""

from __future__ import annotations

from dataclasses import dataclass

# A user, an organization with its id, and one who belongs to it; an integration of each.
USERS = """
INSERT INTO "User" (id, type, email, "appOrgId", "organizationId", "updatedAt") VALUES
  (1, 'INDIVIDUAL', 'ann@example.com', NULL, NULL, now()), (2, 'ORGANIZATION', NULL, 'acme', NULL, now()),
  (3, 'INDIVIDUAL', 'bob@example.com', NULL, 2, now());
INSERT INTO "Integration" (id, "userId", status, "updatedAt") VALUES
  (1, 1, 'ENABLED', now()), (2, 2, 'ENABLED', now()), (3, 3, 'ENABLED', now());
"""


@dataclass(frozen=True)
class Case:
    """Rows for one invariant, on top of ``USERS``.

    Attributes:
        sound: rows at which it finds nothing.
        offending: rows at which it finds something, with these beside the sound ones.
        keys: the samples that it shows of them.
    """

    sound: str
    offending: str
    keys: tuple[str, ...]


def entity(values: str) -> str:
    return f'INSERT INTO "Entity" (id, "userId", "moduleName", "externalId", data, "updatedAt") VALUES {values};'


def credential(values: str) -> str:
    return f'INSERT INTO "Credential" (id, "userId", "externalId", data, "updatedAt") VALUES {values};'


def integration(values: str) -> str:
    return f'INSERT INTO "Integration" (id, "userId", status, "updatedAt") VALUES {values};'


def process(values: str) -> str:
    columns = 'id, "userId", "integrationId", name, type, state, context, results, "updatedAt"'
    return f'INSERT INTO "Process" ({columns}) VALUES {values};'


def user(values: str) -> str:
    columns = 'id, type, email, "appOrgId", "organizationId", "updatedAt"'
    return f'INSERT INTO "User" ({columns}) VALUES {values};'


CASES = {
    "entity-data-object": Case(
        entity("(1, 1, 'm', 'a', '{}', now()), (2, 1, 'm', 'b', '{\"a\": [1]}', now())"),
        entity("(3, 1, 'm', 'c', '[]', now()), (4, 1, 'm', 'd', 'null', now())"),
        ("id 3, type array", "id 4, type null"),
    ),
    "credential-data-object": Case(
        credential("(1, 1, 'a', '{}', now())"),
        credential("(2, 1, 'b', '\"{}\"', now())"),
        ("id 2, type string",),
    ),
    "process-objects": Case(
        process("(1, 1, 1, 'n', 't', 'COMPLETED', '{}', '{}', now())"),
        process("(2, 1, 1, 'n', 't', 'COMPLETED', '[]', '{}', now()), (3, 1, 1, 'n', 't', 'ERROR', '{}', '0', now())"),
        ("id 2, context array, results object", "id 3, context object, results number"),
    ),
    "integration-message-arrays": Case(
        'UPDATE "Integration" SET errors = \'[{"a": 1}]\' WHERE id = 1;',
        "UPDATE \"Integration\" SET logs = '{}' WHERE id = 2;",
        ("id 2, errors array, warnings array, info array, logs object",),
    ),
    "entity-without-user": Case(
        entity("(1, 1, 'm', 'a', '{}', now())"), entity("(2, NULL, 'm', 'b', '{}', now())"), ("id 2",)
    ),
    "credential-without-user": Case(
        credential("(1, 1, 'a', '{}', now())"), credential("(2, NULL, 'b', '{}', now())"), ("id 2",)
    ),
    "integration-without-user": Case(
        integration("(4, 1, 'ERROR', now())"), integration("(5, NULL, 'ENABLED', now())"), ("id 5",)
    ),
    # Of the same user; of the organization in the integration of a member; of a member in the organization's.
    "cross-owner-integration": Case(
        entity("(1, 1, 'm', 'a', '{}', now()), (2, 2, 'm', 'b', '{}', now()), (3, 3, 'm', 'c', '{}', now())")
        + 'INSERT INTO "_EntityToIntegration" VALUES (1, 1), (2, 3), (3, 2);',
        'INSERT INTO "_EntityToIntegration" VALUES (1, 2), (3, 1);',
        ("entity 1, integration 2, entityUser 1, integrationUser 2", "entity 3, integration 1, entityUser 3"),
    ),
    "stuck-process": Case(
        process(
            "(1, 1, 1, 'n', 't', 'COMPLETED', '{}', '{}', now() - interval '1 year'),"
            "(2, 1, 1, 'n', 't', 'FETCHING_PAGE', '{}', '{}', now() - interval '50 minutes')"
        ),
        process("(3, 1, 1, 'n', 't', 'FETCHING_PAGE', '{}', '{}', now() - interval '70 minutes')"),
        ("id 3, state FETCHING_PAGE",),
    ),
    "stuck-integration": Case(
        integration("(4, 1, 'ERROR', now() - interval '1 year'), (5, 1, 'IN_CREATION', now() - interval '23 hours')"),
        integration("(6, 1, 'IN_DELETION', now() - interval '25 hours')"),
        ("id 6, status IN_DELETION",),
    ),
    "duplicate-user-email": Case(
        user("(4, 'INDIVIDUAL', 'Ann@example.com', NULL, NULL, now()), (5, 'INDIVIDUAL', NULL, NULL, NULL, now())"),
        user("(6, 'INDIVIDUAL', 'ann@example.com', NULL, NULL, now())"),
        ("id 1, rows 2",),
    ),
    # A member that carries its organization's id is no second organization.
    "duplicate-user-organization": Case(
        user("(4, 'INDIVIDUAL', NULL, 'acme', 2, now())"),
        user("(5, 'ORGANIZATION', NULL, 'acme', NULL, now())"),
        ("id 2, rows 2",),
    ),
    "duplicate-entity": Case(
        entity("(1, 1, 'm', 'a', '{}', now()), (2, 3, 'm', 'a', '{}', now()), (3, 1, 'n', 'a', '{}', now())")
        + entity("(4, 1, 'm', NULL, '{}', now()), (5, 1, 'm', NULL, '{}', now())"),
        entity("(6, 1, 'm', 'a', '{}', now()), (7, 1, 'm', 'a', '{}', now())"),
        ("id 1, rows 3",),
    ),
    "duplicate-credential": Case(
        credential("(1, 1, 'a', '{}', now()), (2, 3, 'a', '{}', now()), (3, 1, NULL, '{}', now())")
        + credential("(4, 1, NULL, '{}', now())"),
        credential("(5, 1, 'a', '{}', now())"),
        ("id 1, rows 2",),
    ),
    "duplicate-mapping-without-source": Case(
        'INSERT INTO "IntegrationMapping" (id, "integrationId", "sourceId", "updatedAt")'
        " VALUES (1, 1, NULL, now()), (2, 2, NULL, now()), (3, 1, 'a', now());",
        'INSERT INTO "IntegrationMapping" (id, "integrationId", "updatedAt") VALUES (4, 1, now());',
        ("id 1, rows 2",),
    ),
    "organization-without-id": Case(
        user("(4, 'ORGANIZATION', NULL, 'other', NULL, now())"),
        user("(5, 'ORGANIZATION', NULL, NULL, NULL, now())"),
        ("id 5",),
    ),
    "user-organization": Case(
        user("(4, 'INDIVIDUAL', NULL, NULL, 2, now())"),
        user("(5, 'INDIVIDUAL', NULL, NULL, 1, now()), (6, 'ORGANIZATION', NULL, 'self', 6, now())"),
        ("id 5, organizationId 1", "id 6, organizationId 6"),
    ),
    "expired-sessions": Case(
        'INSERT INTO "AuthorizationSession" (id, "sessionId", "userId", "entityType", "maxSteps", "expiresAt",'
        " \"updatedAt\") VALUES (1, 'a', '1', 'm', 2, now() - interval '6 days', now());",
        'INSERT INTO "AuthorizationSession" (id, "sessionId", "userId", "entityType", "maxSteps", "expiresAt",'
        " \"updatedAt\") VALUES (2, 'b', '1', 'm', 2, now() - interval '8 days', now());",
        ("id 2",),
    ),
    "expired-tokens": Case(
        'INSERT INTO "Token" (id, token, "userId", expires) VALUES (1, \'a\', 1, NULL),'
        " (2, 'b', 1, now() - interval '6 days');",
        "INSERT INTO \"Token\" (id, token, \"userId\", expires) VALUES (3, 'c', 1, now() - interval '8 days');",
        ("id 3",),
    ),
}
