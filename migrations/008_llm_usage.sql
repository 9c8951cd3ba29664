-- follows 29e78affa56585a6398ec2fac1b79cf666f1324cf9839cb1464948df5d616328
-- What calls of language models came to, by job, day and model; GET /api/llm-usage adds it up.

CREATE TABLE reeve_read.llm_days (
  tenant uuid NOT NULL,
  job_id uuid NOT NULL,
  -- Of UTC, counted from 1970-01-01.
  day bigint NOT NULL,
  model_name text COLLATE "C" NOT NULL,
  run_id uuid NOT NULL,
  -- The nil id where the run has none.
  directive_id uuid NOT NULL,
  created_position bigint NOT NULL,
  last_position bigint NOT NULL,
  calls bigint NOT NULL,
  prompt_tokens bigint NOT NULL,
  completion_tokens bigint NOT NULL,
  total_tokens bigint NOT NULL,
  cost_micros bigint NOT NULL,
  over_budget_calls bigint NOT NULL,
  PRIMARY KEY (tenant, job_id, day, model_name)
) WITH (fillfactor = 70);
COMMENT ON TABLE reeve_read.llm_days IS
  'Sums of token counts per job, day and model. No prompt or completion text exists: there is no '
  'column for it, and none may be added.';
-- One in the order of each grouping, so that a page of groups walks it and sorts nothing.
CREATE INDEX llm_days_day ON reeve_read.llm_days (tenant, day, job_id, model_name);
CREATE INDEX llm_days_run ON reeve_read.llm_days (tenant, run_id, day, job_id, model_name);
CREATE INDEX llm_days_directive
  ON reeve_read.llm_days (tenant, directive_id, day, job_id, model_name);
CREATE INDEX llm_days_model ON reeve_read.llm_days (tenant, model_name, day, job_id);
SELECT reeve.make_tenant_policies('reeve_read.llm_days', 'tenant');
GRANT SELECT, INSERT, UPDATE, DELETE ON reeve_read.llm_days TO @writer@;
GRANT SELECT ON reeve_read.llm_days TO @reader@;

CREATE TABLE reeve_read.llm_budgets (
  tenant uuid NOT NULL,
  id text COLLATE "C" NOT NULL,
  created_position bigint NOT NULL,
  is_active boolean NOT NULL,
  last_position bigint NOT NULL,
  doc text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, id)
) WITH (fillfactor = 80);
COMMENT ON TABLE reeve_read.llm_budgets IS
  'Budgets for calls of language models; the id is the name. No prompt or completion text exists: '
  'there is no column for it, and none may be added.';
CREATE INDEX llm_budgets_page ON reeve_read.llm_budgets (tenant, created_position, id);
SELECT reeve.make_tenant_policies('reeve_read.llm_budgets', 'tenant');
GRANT SELECT, INSERT, UPDATE, DELETE ON reeve_read.llm_budgets TO @writer@;
GRANT SELECT ON reeve_read.llm_budgets TO @reader@;
