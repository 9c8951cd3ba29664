-- The log: events, what the writer needs beside them, and who may do what.
--
-- @writer@ and @reader@ stand for the two group roles of this database; the runner puts their
-- quoted names in. They exist before this file runs, own nothing, and are never the owner.

-- The runner may have made it for its own table.
CREATE SCHEMA IF NOT EXISTS reeve;
GRANT USAGE ON SCHEMA reeve TO @writer@, @reader@;

-- One row: which log this is. The chain begins with the origin, so two logs never share a prefix.
CREATE TABLE reeve.log (
  one boolean PRIMARY KEY DEFAULT true CHECK (one),
  origin uuid NOT NULL,
  created_at_us bigint NOT NULL
);
COMMENT ON TABLE reeve.log IS 'The identity of this log: one row, written once.';
GRANT SELECT, INSERT ON reeve.log TO @writer@;
GRANT SELECT ON reeve.log TO @reader@;

-- Ranges of positions keep each index small enough to stay in memory and let old history move away
-- as whole tables. A partitioned table cannot have a unique index without the partition key, so
-- (stream, version) is unique by the one writer and by reeve.streams, not by an index.
CREATE TABLE reeve.events (
  position bigint NOT NULL,
  epoch bigint NOT NULL,
  stream text COLLATE "C" NOT NULL,
  version bigint NOT NULL,
  type text COLLATE "C" NOT NULL,
  schema_version int NOT NULL,
  tenant uuid NOT NULL,
  payload text COLLATE "C" NOT NULL,
  payload_format int NOT NULL,
  key_id uuid,
  principal text COLLATE "C" NOT NULL,
  command_id uuid NOT NULL,
  request_digest bytea,
  correlation_id uuid NOT NULL,
  causation_id bigint,
  traceparent text COLLATE "C" NOT NULL,
  recorded_at_us bigint NOT NULL,
  leaf bytea NOT NULL,
  hash bytea NOT NULL,
  PRIMARY KEY (position)
) PARTITION BY RANGE (position);
COMMENT ON TABLE reeve.events IS
  'The append-only, hash-chained log. Everything else is derived from it. No event has a field '
  'for the text of a prompt or a completion of a language model.';
COMMENT ON COLUMN reeve.events.payload IS
  'Exactly the bytes that were hashed: text, because jsonb would rewrite them.';
COMMENT ON COLUMN reeve.events.payload_format IS
  '0: canonical JSON. 1: base64url of nonce and XChaCha20-Poly1305 ciphertext.';

-- A stream is loaded by it, and it serves the filter by stream: versions ascend with positions.
CREATE INDEX events_stream ON reeve.events (tenant, stream, version);
-- Pages of one tenant. The rarer filters (type, principal, correlation) walk these pages: an index
-- for each would be paid by every append.
CREATE INDEX events_tenant ON reeve.events (tenant, position);

-- The database itself refuses to change history, whoever asks.
CREATE FUNCTION reeve.refuse_change() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'the log is append-only: % refused', TG_OP USING ERRCODE = 'RV003';
END
$$;

-- Row triggers are cloned to partitions, statement triggers are not: make_partition adds those.
-- ALWAYS, so that session_replication_role does not switch them off.
CREATE TRIGGER append_only_row BEFORE UPDATE OR DELETE ON reeve.events
  FOR EACH ROW EXECUTE FUNCTION reeve.refuse_change();
CREATE TRIGGER append_only_statement BEFORE TRUNCATE ON reeve.events
  FOR EACH STATEMENT EXECUTE FUNCTION reeve.refuse_change();
ALTER TABLE reeve.events ENABLE ALWAYS TRIGGER append_only_row;
ALTER TABLE reeve.events ENABLE ALWAYS TRIGGER append_only_statement;

-- Policies of reeve.events and of each of its partitions. The reader sees the tenant that its
-- transaction names, and none when it names none (without NULLIF the empty setting that a former
-- transaction leaves behind would be an error). The auditor sees every tenant, only when the
-- transaction says so and names no tenant: a query for one tenant can never be widened by it, and
-- it cannot outlive its transaction. One writer's batch mixes tenants, so it is admitted to all;
-- it may add and look, never change. The owner may look: for backups and the functions below.
CREATE FUNCTION reeve.make_event_policies(name text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('ALTER TABLE reeve.%I ENABLE ROW LEVEL SECURITY', name);
  EXECUTE format('ALTER TABLE reeve.%I FORCE ROW LEVEL SECURITY', name);
  EXECUTE format('CREATE POLICY reader_tenant ON reeve.%I FOR SELECT TO @reader@ USING '
    '(tenant = (SELECT NULLIF(current_setting(''reeve.tenant'', true), '''')::uuid))', name);
  EXECUTE format('CREATE POLICY reader_auditor ON reeve.%I FOR SELECT TO @reader@ USING '
    '((SELECT current_setting(''reeve.auditor'', true) = ''on'' '
    'AND COALESCE(current_setting(''reeve.tenant'', true), '''') = ''''))', name);
  EXECUTE format('CREATE POLICY writer_reads ON reeve.%I FOR SELECT TO @writer@ '
    'USING (true)', name);
  EXECUTE format('CREATE POLICY writer_appends ON reeve.%I FOR INSERT TO @writer@ '
    'WITH CHECK (true)', name);
  EXECUTE format('CREATE POLICY owner_reads ON reeve.%I FOR SELECT TO CURRENT_USER USING (true)',
    name);
END
$$;
REVOKE ALL ON FUNCTION reeve.make_event_policies(text) FROM PUBLIC;
SELECT reeve.make_event_policies('events');

GRANT SELECT, INSERT ON reeve.events TO @writer@;
GRANT SELECT ON reeve.events TO @reader@;

-- Partition n holds the positions [n * 10 million, (n + 1) * 10 million). Says whether it made it.
-- Nobody gets a grant on a partition: through one, UPDATE and TRUNCATE would go past the parent's
-- triggers. Made apart and then attached, which waits for no reader of the parent. The writer
-- calls it ahead of need, with the owner's rights and for the next range only.
CREATE FUNCTION reeve.make_partition(n bigint) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  name text := 'events_p' || lpad(n::text, 6, '0');
  size constant bigint := 10000000;
BEGIN
  IF n < 0 OR n > 900000 THEN
    RAISE EXCEPTION 'there is no partition %', n USING ERRCODE = '22023';
  END IF;
  IF to_regclass('reeve.' || name) IS NOT NULL THEN
    RETURN false;
  END IF;
  IF n > 0 AND to_regclass('reeve.events_p' || lpad((n - 1)::text, 6, '0')) IS NULL THEN
    RAISE EXCEPTION 'partition % has no predecessor', n USING ERRCODE = '22023';
  END IF;
  EXECUTE format('CREATE TABLE reeve.%I (LIKE reeve.events INCLUDING DEFAULTS)', name);
  EXECUTE format('REVOKE ALL ON reeve.%I FROM PUBLIC, @writer@, @reader@', name);
  PERFORM reeve.make_event_policies(name);
  EXECUTE format('CREATE TRIGGER append_only_statement BEFORE TRUNCATE ON reeve.%I '
    'FOR EACH STATEMENT EXECUTE FUNCTION reeve.refuse_change()', name);
  EXECUTE format('ALTER TABLE reeve.events ATTACH PARTITION reeve.%I FOR VALUES FROM (%s) TO (%s)',
    name, n * size, (n + 1) * size);
  EXECUTE format('ALTER TABLE reeve.%I ENABLE ALWAYS TRIGGER append_only_row', name);
  EXECUTE format('ALTER TABLE reeve.%I ENABLE ALWAYS TRIGGER append_only_statement', name);
  EXECUTE format('COMMENT ON TABLE reeve.%I IS %L', name, 'A range of reeve.events.');
  RETURN true;
END
$$;
REVOKE ALL ON FUNCTION reeve.make_partition(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reeve.make_partition(bigint) TO @writer@;
SELECT reeve.make_partition(0);

-- What the append statement calls when a count is not as it must be: the error undoes the whole
-- statement, so a batch is never half there. RV001: fenced. RV002: a stream has moved.
CREATE FUNCTION reeve.refuse_batch(code text) RETURNS int
LANGUAGE plpgsql VOLATILE SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  RAISE EXCEPTION 'the batch does not fit the log' USING ERRCODE = code;
END
$$;
REVOKE ALL ON FUNCTION reeve.refuse_batch(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reeve.refuse_batch(text) TO @writer@;

-- The last position that was recorded at or before a time, 0 if there is none. Times never
-- decrease along the log, so about 24 probes of the primary key do what an index would cost every
-- append. With the owner's eyes, because the probes meet every tenant; it tells a position only.
CREATE FUNCTION reeve.position_at(at_us bigint) RETURNS bigint
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  low bigint := 0;
  high bigint := COALESCE((SELECT max(position) FROM reeve.events), 0);
  middle bigint;
BEGIN
  WHILE low < high LOOP
    middle := (low + high + 1) / 2;
    IF (SELECT recorded_at_us FROM reeve.events WHERE position = middle) <= at_us THEN
      low := middle;
    ELSE
      high := middle - 1;
    END IF;
  END LOOP;
  RETURN low;
END
$$;
REVOKE ALL ON FUNCTION reeve.position_at(bigint) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reeve.position_at(bigint) TO @writer@, @reader@;

-- The head, for readers that see one tenant only. Positions are no secret: they are SSE ids.
CREATE FUNCTION reeve.head() RETURNS bigint
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
  SELECT COALESCE(max(position), 0) FROM reeve.events
$$;
REVOKE ALL ON FUNCTION reeve.head() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION reeve.head() TO @writer@, @reader@;

-- Where each stream stands. The append compares the version that it expects with this row. A
-- fill factor leaves room for the next version beside the old one.
CREATE TABLE reeve.streams (
  stream text COLLATE "C" PRIMARY KEY,
  tenant uuid NOT NULL,
  version bigint NOT NULL,
  position bigint NOT NULL
) WITH (fillfactor = 70);
COMMENT ON TABLE reeve.streams IS 'The version of every stream and the position of its last event.';

-- What an Idempotency-Key stands for: the positions of the events of its first request.
CREATE TABLE reeve.commands (
  tenant uuid NOT NULL,
  principal text COLLATE "C" NOT NULL,
  route text COLLATE "C" NOT NULL,
  key text COLLATE "C" NOT NULL,
  request_digest bytea NOT NULL,
  first_position bigint NOT NULL,
  count bigint NOT NULL,
  expires_at_us bigint NOT NULL,
  PRIMARY KEY (tenant, principal, route, key)
);
COMMENT ON TABLE reeve.commands IS 'Idempotency keys, kept for 7 days.';
-- For the sweep; it only ever grows at its end.
CREATE INDEX commands_expiry ON reeve.commands (expires_at_us);

-- Keys of sealed payloads, wrapped by a key that is not in the database. Erasing nulls the wrapped
-- key: the stored bytes and so the chain stay as they are.
CREATE TABLE reeve.data_keys (
  key_id uuid PRIMARY KEY,
  tenant uuid NOT NULL,
  wrapped_key bytea,
  created_at_us bigint NOT NULL
);
COMMENT ON TABLE reeve.data_keys IS 'Wrapped keys of sealed payloads; null once erased.';

-- Row security of a table with a tenant that the writer may also change. `tenant_column` is "id"
-- for the table of tenants itself.
CREATE FUNCTION reeve.make_tenant_policies(name regclass, tenant_column text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', name);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', name);
  EXECUTE format('CREATE POLICY reader_tenant ON %s FOR SELECT TO @reader@ USING '
    '(%I = (SELECT NULLIF(current_setting(''reeve.tenant'', true), '''')::uuid))',
    name, tenant_column);
  EXECUTE format('CREATE POLICY writer_all ON %s FOR ALL TO @writer@ USING (true) '
    'WITH CHECK (true)', name);
  EXECUTE format('CREATE POLICY owner_all ON %s FOR ALL TO CURRENT_USER USING (true) '
    'WITH CHECK (true)', name);
END
$$;
REVOKE ALL ON FUNCTION reeve.make_tenant_policies(regclass, text) FROM PUBLIC;
SELECT reeve.make_tenant_policies('reeve.streams', 'tenant');
SELECT reeve.make_tenant_policies('reeve.commands', 'tenant');
SELECT reeve.make_tenant_policies('reeve.data_keys', 'tenant');

-- A stream is never forgotten: no DELETE. Expired keys are. The reader has no use for data keys.
GRANT SELECT, INSERT, UPDATE ON reeve.streams TO @writer@;
GRANT SELECT, INSERT, DELETE ON reeve.commands TO @writer@;
GRANT SELECT, INSERT, UPDATE ON reeve.data_keys TO @writer@;
GRANT SELECT ON reeve.streams, reeve.commands TO @reader@;

-- The auditor finds the tenant of a stream here and then uses that tenant's index on the events.
CREATE POLICY reader_auditor ON reeve.streams FOR SELECT TO @reader@ USING
  ((SELECT current_setting('reeve.auditor', true) = 'on'
    AND COALESCE(current_setting('reeve.tenant', true), '') = ''));

-- Signed heads of the chain. As final as the events they sign.
CREATE TABLE reeve.checkpoints (
  position bigint PRIMARY KEY,
  origin uuid NOT NULL,
  epoch bigint NOT NULL,
  hash bytea NOT NULL,
  key_id text COLLATE "C" NOT NULL,
  signature bytea NOT NULL,
  created_at_us bigint NOT NULL
);
COMMENT ON TABLE reeve.checkpoints IS 'Ed25519 signatures over heads of the chain.';
CREATE TRIGGER append_only_row BEFORE UPDATE OR DELETE ON reeve.checkpoints
  FOR EACH ROW EXECUTE FUNCTION reeve.refuse_change();
CREATE TRIGGER append_only_statement BEFORE TRUNCATE ON reeve.checkpoints
  FOR EACH STATEMENT EXECUTE FUNCTION reeve.refuse_change();
ALTER TABLE reeve.checkpoints ENABLE ALWAYS TRIGGER append_only_row;
ALTER TABLE reeve.checkpoints ENABLE ALWAYS TRIGGER append_only_statement;
GRANT SELECT, INSERT ON reeve.checkpoints TO @writer@;
GRANT SELECT ON reeve.checkpoints TO @reader@;
