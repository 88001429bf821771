import type { NamedMigration } from "./index.ts";
import { grantToServer, separateTenants, statements } from "./tenant-table.ts";

/**
 * Registries, images and what is known of them. Facts hang on chains, not on images: a chain is a layer on top of the
 * layers below it (OCI image specification, "Layer ChainID"), and images that share a base share its chains. A row of
 * `chain_*` says what a layer adds (`delta` 1) or takes away (-1) of what `from_depth` brought; an image holds the sum over
 * its chains.
 */
export const estate: NamedMigration = {
  name: "0002-estate",
  async up(db) {
    await statements(db, PEOPLE_AND_PLACES);
    await statements(db, IMAGES);
    await statements(db, PACKAGES);
    await statements(db, CONTENT);
    await separateTenants(db, TENANT_TABLES);
    await grantToServer(db, "vulnerability");
  },
};

const TENANT_TABLES = [
  "owner",
  "registry",
  "repository",
  "tag",
  "tag_image",
  "image",
  "image_location",
  "layer",
  "chain",
  "image_chain",
  "subject",
  "subject_match",
  "package_version",
  "chain_package",
  "chain_subject",
  "content_fact",
  "chain_content",
  "image_content",
];

const TENANT = "tenant_id integer NOT NULL REFERENCES tenant ON DELETE CASCADE";
const ID = "id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY";
/** What a place passes on to everything below it. */
const INHERITED = `owner_id bigint REFERENCES owner ON DELETE SET NULL, grade text, labels jsonb NOT NULL DEFAULT '{}'`;

const PEOPLE_AND_PLACES = `
  CREATE TABLE owner (
    ${ID}, ${TENANT}, name text NOT NULL, email text NOT NULL DEFAULT '', account_id bigint,
    UNIQUE (tenant_id, name)
  );
  CREATE TABLE registry (
    ${ID}, ${TENANT}, name text NOT NULL,
    kind text NOT NULL CHECK (kind IN ('oci', 'docker', 'harbor', 'local')),
    address text NOT NULL, settings jsonb NOT NULL DEFAULT '{}', secret bytea,
    state text NOT NULL DEFAULT 'new', problem text NOT NULL DEFAULT '',
    synced_at timestamptz, created_at timestamptz NOT NULL DEFAULT now(), ${INHERITED},
    UNIQUE (tenant_id, name)
  );
  CREATE TABLE repository (
    ${ID}, ${TENANT}, registry_id bigint NOT NULL REFERENCES registry ON DELETE CASCADE,
    name text NOT NULL, first_seen timestamptz NOT NULL DEFAULT now(), gone_at timestamptz, ${INHERITED},
    UNIQUE (registry_id, name)
  );
  CREATE INDEX repository_name ON repository (tenant_id, name);
`;

const IMAGES = `
  CREATE TABLE layer (
    ${ID}, ${TENANT}, diff_id text NOT NULL, digest text NOT NULL, size_bytes bigint NOT NULL,
    analyzers text NOT NULL DEFAULT '', report bytea, analyzed_at timestamptz,
    UNIQUE (tenant_id, diff_id)
  );
  ALTER TABLE layer ALTER COLUMN report SET STORAGE EXTERNAL;
  CREATE TABLE chain (
    ${ID}, ${TENANT}, digest text NOT NULL, parent_id bigint REFERENCES chain, layer_id bigint NOT NULL REFERENCES layer,
    depth smallint NOT NULL, analyzers text NOT NULL,
    UNIQUE (tenant_id, digest)
  );
  CREATE INDEX chain_layer ON chain (layer_id);
  CREATE INDEX chain_parent ON chain (parent_id);
  CREATE TABLE image (
    ${ID}, ${TENANT}, digest text NOT NULL, platform text NOT NULL DEFAULT '',
    state text NOT NULL DEFAULT 'known' CHECK (state IN ('known', 'scanned', 'failed', 'gone')),
    problem text NOT NULL DEFAULT '',
    os_id text NOT NULL DEFAULT '', os_version text NOT NULL DEFAULT '', os_name text NOT NULL DEFAULT '',
    built_at timestamptz, size_bytes bigint NOT NULL DEFAULT 0, layer_count smallint NOT NULL DEFAULT 0,
    chain_id bigint REFERENCES chain, base_layers smallint NOT NULL DEFAULT 0, base jsonb,
    instructions jsonb NOT NULL DEFAULT '[]', image_labels jsonb NOT NULL DEFAULT '{}',
    complete boolean NOT NULL DEFAULT false, problems jsonb NOT NULL DEFAULT '[]',
    first_seen timestamptz NOT NULL DEFAULT now(), scanned_at timestamptz, gone_at timestamptz,
    package_count integer NOT NULL DEFAULT 0, dependents integer NOT NULL DEFAULT 0,
    critical integer NOT NULL DEFAULT 0, high integer NOT NULL DEFAULT 0, medium integer NOT NULL DEFAULT 0,
    low integer NOT NULL DEFAULT 0, other integer NOT NULL DEFAULT 0,
    base_critical integer NOT NULL DEFAULT 0, base_high integer NOT NULL DEFAULT 0,
    exploited integer NOT NULL DEFAULT 0, fixable integer NOT NULL DEFAULT 0,
    secrets integer NOT NULL DEFAULT 0, malware integer NOT NULL DEFAULT 0, misconfigurations integer NOT NULL DEFAULT 0,
    risk integer GENERATED ALWAYS AS
      (malware * 200 + exploited * 100 + critical * 20 + secrets * 15 + high * 5 + medium) STORED,
    ${INHERITED},
    UNIQUE (tenant_id, digest)
  );
  CREATE INDEX image_risk ON image (tenant_id, risk DESC, id DESC);
  CREATE INDEX image_seen ON image (tenant_id, first_seen DESC, id DESC);
  CREATE INDEX image_chain_top ON image (chain_id);
  CREATE TABLE image_location (
    ${TENANT}, image_id bigint NOT NULL REFERENCES image ON DELETE CASCADE,
    repository_id bigint NOT NULL REFERENCES repository ON DELETE CASCADE,
    first_seen timestamptz NOT NULL DEFAULT now(), gone_at timestamptz,
    PRIMARY KEY (image_id, repository_id)
  );
  CREATE INDEX image_location_repository ON image_location (repository_id, image_id);
  CREATE TABLE tag (
    ${ID}, ${TENANT}, repository_id bigint NOT NULL REFERENCES repository ON DELETE CASCADE,
    name text NOT NULL, digest text NOT NULL, moved_at timestamptz NOT NULL DEFAULT now(), gone_at timestamptz,
    UNIQUE (repository_id, name)
  );
  CREATE TABLE tag_image (
    ${TENANT}, tag_id bigint NOT NULL REFERENCES tag ON DELETE CASCADE,
    image_id bigint NOT NULL REFERENCES image ON DELETE CASCADE,
    PRIMARY KEY (tag_id, image_id)
  );
  CREATE INDEX tag_image_image ON tag_image (image_id);
  CREATE TABLE image_chain (
    ${TENANT}, image_id bigint NOT NULL REFERENCES image ON DELETE CASCADE,
    depth smallint NOT NULL, chain_id bigint NOT NULL REFERENCES chain,
    PRIMARY KEY (image_id, depth)
  );
  -- With the tenant in the index, row-level security needs no look at the table.
  CREATE INDEX image_chain_chain ON image_chain (chain_id, image_id) INCLUDE (tenant_id);
`;

const PACKAGES = `
  CREATE TABLE subject (
    ${ID}, ${TENANT}, ecosystem text NOT NULL, name text NOT NULL, version text NOT NULL, module text NOT NULL DEFAULT '',
    matched_with text NOT NULL DEFAULT '',
    lower_name text GENERATED ALWAYS AS (lower(name)) STORED,
    short_name text GENERATED ALWAYS AS (lower(regexp_replace(name, '^.*[:/]', ''))) STORED,
    UNIQUE (tenant_id, ecosystem, name, version, module)
  ) WITH (fillfactor = 70); -- matched_with changes with every update of the advisories
  -- Columns, not expressions: under row-level security an index on lower(name) is not used, since lower is not leakproof.
  CREATE INDEX subject_lower_name ON subject (tenant_id, lower_name);
  CREATE INDEX subject_short_name ON subject (tenant_id, short_name);
  CREATE TABLE vulnerability (
    id text PRIMARY KEY, title text NOT NULL, severity text NOT NULL, malicious boolean NOT NULL DEFAULT false,
    cvss jsonb, cvss_score real, kev jsonb, epss jsonb, epss_score real, public_exploit boolean NOT NULL DEFAULT false,
    aliases text[] NOT NULL DEFAULT '{}', "references" text[] NOT NULL DEFAULT '{}', changed_at timestamptz NOT NULL DEFAULT now()
  );
  CREATE INDEX vulnerability_aliases ON vulnerability USING gin (aliases);
  CREATE TABLE subject_match (
    ${TENANT}, subject_id bigint NOT NULL REFERENCES subject ON DELETE CASCADE,
    vulnerability_id text NOT NULL REFERENCES vulnerability,
    severity text NOT NULL, status text NOT NULL, fixed_version text NOT NULL DEFAULT '', range text NOT NULL DEFAULT '',
    advisories text[] NOT NULL DEFAULT '{}', priority smallint NOT NULL DEFAULT 0, reasons jsonb NOT NULL DEFAULT '[]',
    exploited boolean NOT NULL DEFAULT false, malicious boolean NOT NULL DEFAULT false,
    first_seen timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (subject_id, vulnerability_id)
  );
  CREATE INDEX subject_match_vulnerability ON subject_match (vulnerability_id, subject_id);
  CREATE TABLE package_version (
    ${ID}, ${TENANT}, key text NOT NULL, purl text NOT NULL, type text NOT NULL, name text NOT NULL, version text NOT NULL,
    fact jsonb NOT NULL, lower_name text GENERATED ALWAYS AS (lower(name)) STORED, subject_ids bigint[] NOT NULL DEFAULT '{}', undetermined text NOT NULL DEFAULT '',
    UNIQUE (tenant_id, key)
  );
  CREATE INDEX package_version_lower_name ON package_version (tenant_id, lower_name);
  CREATE TABLE chain_package (
    ${TENANT}, chain_id bigint NOT NULL REFERENCES chain ON DELETE CASCADE, from_depth smallint NOT NULL,
    package_id bigint NOT NULL REFERENCES package_version, path text NOT NULL, evidence text NOT NULL, delta smallint NOT NULL
  );
  CREATE INDEX chain_package_chain ON chain_package (chain_id);
  CREATE INDEX chain_package_package ON chain_package (package_id, chain_id);
  CREATE TABLE chain_subject (
    ${TENANT}, chain_id bigint NOT NULL REFERENCES chain ON DELETE CASCADE, from_depth smallint NOT NULL,
    subject_id bigint NOT NULL REFERENCES subject, delta smallint NOT NULL,
    PRIMARY KEY (chain_id, subject_id, from_depth)
  );
  CREATE INDEX chain_subject_subject ON chain_subject (subject_id, chain_id) INCLUDE (from_depth, delta);
`;

const CONTENT = `
  CREATE TABLE content_fact (
    ${ID}, ${TENANT}, key text NOT NULL, kind text NOT NULL, rule_id text NOT NULL, severity text NOT NULL, title text NOT NULL,
    path text NOT NULL DEFAULT '', line integer, advice text NOT NULL, detail text NOT NULL DEFAULT '',
    fingerprint text NOT NULL DEFAULT '', found_by text NOT NULL, version text NOT NULL, "references" text[] NOT NULL DEFAULT '{}',
    first_seen timestamptz NOT NULL DEFAULT now(),
    UNIQUE (tenant_id, key)
  );
  CREATE INDEX content_fact_rule ON content_fact (tenant_id, rule_id);
  CREATE TABLE chain_content (
    ${TENANT}, chain_id bigint NOT NULL REFERENCES chain ON DELETE CASCADE, from_depth smallint NOT NULL,
    fact_id bigint NOT NULL REFERENCES content_fact, removed_at smallint, delta smallint NOT NULL
  );
  CREATE INDEX chain_content_chain ON chain_content (chain_id);
  CREATE INDEX chain_content_fact ON chain_content (fact_id, chain_id);
  CREATE TABLE image_content (
    ${TENANT}, image_id bigint NOT NULL REFERENCES image ON DELETE CASCADE,
    fact_id bigint NOT NULL REFERENCES content_fact, depth smallint NOT NULL,
    PRIMARY KEY (image_id, fact_id, depth)
  );
  CREATE INDEX image_content_fact ON image_content (fact_id);
`;
