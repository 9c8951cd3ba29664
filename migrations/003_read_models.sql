-- Inline projections: written by the journal in the statement that appends the events, so that a
-- caller reads its own write. Each can be dropped and rebuilt from the log.
--
-- `doc` is the rendered JSON document. Lists order by (created_position, id), never by id alone.
-- Every row has the positions of its life: that of the event that made it, of the last one that
-- changed it, and where there is such a thing of its start and its end. What a ledger holds never
-- changes, so there the first one is all. What changes stands together, behind what does not and
-- before a document that does not: PostgreSQL leaves the unchanged beginning and end of an updated
-- row out of its log (162 bytes an event instead of 436).
-- The fill factor of tables whose rows change leaves room for the next version of a row beside the
-- old one, which spares the indexes. All text is COLLATE "C": no order depends on a locale.

CREATE SCHEMA reeve_read;
GRANT USAGE ON SCHEMA reeve_read TO @writer@, @reader@;

CREATE TABLE reeve_read.tenants (
  id uuid PRIMARY KEY,
  name text COLLATE "C" NOT NULL,
  created_position bigint NOT NULL,
  default_directive uuid
);
COMMENT ON TABLE reeve_read.tenants IS 'Who the data belongs to.';

CREATE TABLE reeve_read.directives (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  created_position bigint NOT NULL,
  name text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  is_archived boolean NOT NULL,
  last_position bigint NOT NULL,
  doc text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, id)
) WITH (fillfactor = 80);
COMMENT ON TABLE reeve_read.directives IS 'Directives as they are now.';
CREATE INDEX directives_page ON reeve_read.directives (tenant, created_position, id);

CREATE TABLE reeve_read.directive_versions (
  tenant uuid NOT NULL,
  id text COLLATE "C" NOT NULL,
  directive_id uuid NOT NULL,
  version bigint NOT NULL,
  created_position bigint NOT NULL,
  doc text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, id)
);
COMMENT ON TABLE reeve_read.directive_versions IS
  'Every version of every directive; the id is <directive>-<version>.';
CREATE INDEX directive_versions_page
  ON reeve_read.directive_versions (tenant, directive_id, created_position, id);

CREATE TABLE reeve_read.runs (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  directive_id uuid,
  directive_name text COLLATE "C" NOT NULL,
  is_simulated boolean NOT NULL,
  retry_of uuid,
  created_position bigint NOT NULL,
  created_at_us bigint NOT NULL,
  status text COLLATE "C" NOT NULL,
  started_position bigint,
  finished_position bigint,
  last_position bigint NOT NULL,
  started_at_us bigint,
  finished_at_us bigint,
  doc text COLLATE "C" NOT NULL,
  snapshot text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, id)
) WITH (fillfactor = 70);
COMMENT ON TABLE reeve_read.runs IS 'Runs with the directive snapshot that they execute.';
CREATE INDEX runs_page ON reeve_read.runs (tenant, created_position, id);
-- Also the last success of a directive.
CREATE INDEX runs_directive ON reeve_read.runs (tenant, directive_id, created_position, id);
-- The few that are not finished, among any number that are.
CREATE INDEX runs_active ON reeve_read.runs (tenant, created_position, id)
  WHERE status IN ('pending', 'running');

-- Rows, because a containment test on a document cannot use its index under row-level security.
-- The primary key lies in the order of a list of runs, so the pages of a filter walk it (173 ms
-- became 3 ms).
CREATE TABLE reeve_read.run_labels (
  tenant uuid NOT NULL,
  key text COLLATE "C" NOT NULL,
  value text COLLATE "C" NOT NULL,
  created_position bigint NOT NULL,
  object uuid NOT NULL,
  PRIMARY KEY (tenant, key, value, created_position, object)
);
COMMENT ON TABLE reeve_read.run_labels IS 'Labels of runs, one a row.';

CREATE TABLE reeve_read.jobs (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  run_id uuid NOT NULL,
  ordinal int NOT NULL,
  task text COLLATE "C" NOT NULL,
  created_position bigint NOT NULL,
  status text COLLATE "C" NOT NULL,
  is_quarantined boolean NOT NULL,
  started_position bigint,
  finished_position bigint,
  last_position bigint NOT NULL,
  doc text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, id)
) WITH (fillfactor = 70);
COMMENT ON TABLE reeve_read.jobs IS 'Jobs of runs with their attempts and artifacts.';
-- Several jobs of one run share a created_position.
CREATE INDEX jobs_page ON reeve_read.jobs (tenant, created_position, id);
CREATE INDEX jobs_run ON reeve_read.jobs (tenant, run_id, ordinal);
-- What waits for an operator is looked for among all jobs, and is hardly ever there.
CREATE INDEX jobs_quarantined ON reeve_read.jobs (tenant, created_position, id)
  WHERE is_quarantined;
CREATE INDEX jobs_active ON reeve_read.jobs (tenant, created_position, id)
  WHERE status IN ('pending', 'running');

CREATE TABLE reeve_read.image_allowlist (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  created_position bigint NOT NULL,
  is_active boolean NOT NULL,
  last_position bigint NOT NULL,
  doc text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, id)
);
COMMENT ON TABLE reeve_read.image_allowlist IS 'The image allowlist: what may be started.';
CREATE INDEX image_allowlist_page ON reeve_read.image_allowlist (tenant, created_position, id);

CREATE TABLE reeve_read.container_allowlist (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  created_position bigint NOT NULL,
  is_active boolean NOT NULL,
  last_position bigint NOT NULL,
  doc text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, id)
);
COMMENT ON TABLE reeve_read.container_allowlist IS
  'The container allowlist: what a task may touch.';
CREATE INDEX container_allowlist_page
  ON reeve_read.container_allowlist (tenant, created_position, id);

CREATE TABLE reeve_read.tokens (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  role text COLLATE "C" NOT NULL,
  secret_hash text COLLATE "C" NOT NULL,
  created_position bigint NOT NULL,
  is_active boolean NOT NULL,
  last_position bigint NOT NULL,
  doc text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, id)
);
COMMENT ON TABLE reeve_read.tokens IS 'Access tokens; the secret itself is nowhere.';
CREATE INDEX tokens_page ON reeve_read.tokens (tenant, created_position, id);

CREATE TABLE reeve_read.llm_calls (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  job_id uuid NOT NULL,
  created_position bigint NOT NULL,
  doc text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, id)
);
COMMENT ON TABLE reeve_read.llm_calls IS
  'Token counts of calls to language models. No prompt or completion text exists: there is no '
  'column for it, and none may be added.';
CREATE INDEX llm_calls_page ON reeve_read.llm_calls (tenant, created_position, id);
CREATE INDEX llm_calls_job ON reeve_read.llm_calls (tenant, job_id, created_position, id);

CREATE TABLE reeve_read.llm_usage (
  tenant uuid NOT NULL,
  job_id uuid NOT NULL,
  run_id uuid NOT NULL,
  created_position bigint NOT NULL,
  last_position bigint NOT NULL,
  calls bigint NOT NULL,
  prompt_tokens bigint NOT NULL,
  completion_tokens bigint NOT NULL,
  total_tokens bigint NOT NULL,
  PRIMARY KEY (tenant, job_id)
) WITH (fillfactor = 70);
COMMENT ON TABLE reeve_read.llm_usage IS
  'Sums of token counts per job. No prompt or completion text exists: there is no column for it, '
  'and none may be added.';
CREATE INDEX llm_usage_run ON reeve_read.llm_usage (tenant, run_id);

CREATE TABLE reeve_read.blob_refs (
  tenant uuid NOT NULL,
  job_id uuid NOT NULL,
  name text COLLATE "C" NOT NULL,
  sha256 bytea NOT NULL,
  bytes bigint NOT NULL,
  created_position bigint NOT NULL,
  PRIMARY KEY (tenant, job_id, name)
);
COMMENT ON TABLE reeve_read.blob_refs IS 'Which blobs the log names: these are never swept.';
CREATE INDEX blob_refs_digest ON reeve_read.blob_refs (tenant, sha256);

CREATE TABLE reeve_read.singletons (
  tenant uuid NOT NULL,
  id text COLLATE "C" NOT NULL,
  last_position bigint NOT NULL,
  doc text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, id)
) WITH (fillfactor = 80);
COMMENT ON TABLE reeve_read.singletons IS
  'Small singletons, such as the engine that was seen last.';

-- The same row security and the same rights for each of them.
DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['directives', 'directive_versions', 'runs', 'run_labels', 'jobs',
    'image_allowlist', 'container_allowlist', 'tokens', 'llm_calls', 'llm_usage', 'blob_refs',
    'singletons']
  LOOP
    PERFORM reeve.make_tenant_policies(format('reeve_read.%I', name)::regclass, 'tenant');
  END LOOP;
  PERFORM reeve.make_tenant_policies('reeve_read.tenants', 'id');
END
$$;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA reeve_read TO @writer@;
GRANT SELECT ON ALL TABLES IN SCHEMA reeve_read TO @reader@;
