-- What is known of each projection: which version of it its table holds, and whether that can be
-- relied on. A projection whose version differs from the program's is built from the log beside the
-- live one and takes its place in one transaction.

CREATE TABLE reeve.projections (
  name text COLLATE "C" PRIMARY KEY,
  -- Of the table; 0: nobody has built it yet.
  version int NOT NULL,
  -- Of the table when it was built, in their order. Where they are the program's, it may still be
  -- read while the next version is built.
  columns text COLLATE "C" NOT NULL,
  state text COLLATE "C" NOT NULL CHECK (state IN ('live', 'building', 'stale')),
  -- A follower's rows are those of the log up to here. Of the others: where they were built.
  checkpoint bigint NOT NULL,
  -- The first event whose rows could not be written; null: there is none.
  stale_from bigint,
  -- When somebody asked for it to be built anew; null once it was, or could not be.
  asked_at_us bigint,
  -- Why it could not be built the last time; null: it could.
  failure text COLLATE "C"
);
COMMENT ON TABLE reeve.projections IS
  'Which version of each projection its table holds, and whether it can be relied on.';
GRANT SELECT, INSERT, UPDATE ON reeve.projections TO @writer@;
GRANT SELECT ON reeve.projections TO @reader@;

-- Makes a table ready to take another one's place: its indexes (named with the suffix), its row
-- security and policies, its rights and its comment. Whatever a later migration gives to the live
-- table, the one that follows it has too. For the owner, who is the only one that may do all this.
CREATE FUNCTION reeve.dress_projection(live regclass, next regclass, suffix text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  one record;
  statement text;
BEGIN
  FOR one IN SELECT c.relname AS name, i.indisprimary AS is_key,
      pg_get_indexdef(i.indexrelid) AS definition
    FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid WHERE i.indrelid = live LOOP
    statement := replace(one.definition, format('INDEX %I ON %s ', one.name, live),
      format('INDEX %I ON %s ', one.name || suffix, next));
    IF statement = one.definition THEN
      RAISE EXCEPTION 'the index % cannot be made again', one.name;
    END IF;
    EXECUTE statement;
    IF one.is_key THEN
      EXECUTE format('ALTER TABLE %s ADD PRIMARY KEY USING INDEX %I', next, one.name || suffix);
    END IF;
  END LOOP;
  FOR one IN SELECT * FROM pg_policies p WHERE format('%I.%I', p.schemaname, p.tablename)::regclass
      = live LOOP
    EXECUTE format('CREATE POLICY %I ON %s AS %s FOR %s TO %s', one.policyname, next,
      one.permissive, one.cmd, (SELECT string_agg(quote_ident(r), ', ') FROM unnest(one.roles) r))
      || COALESCE(' USING (' || one.qual || ')', '')
      || COALESCE(' WITH CHECK (' || one.with_check || ')', '');
  END LOOP;
  EXECUTE format('ALTER TABLE %s ENABLE ROW LEVEL SECURITY', next);
  EXECUTE format('ALTER TABLE %s FORCE ROW LEVEL SECURITY', next);
  FOR one IN SELECT a.grantee::regrole AS role, a.privilege_type AS privilege
    FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid = live AND a.grantee <> c.relowner LOOP
    EXECUTE format('GRANT %s ON %s TO %s', one.privilege, next, one.role);
  END LOOP;
  EXECUTE format('COMMENT ON TABLE %s IS %L', next, obj_description(live));
END
$$;
REVOKE ALL ON FUNCTION reeve.dress_projection(regclass, regclass, text) FROM PUBLIC;

-- Puts `next` in the place of the live table, and takes the suffix from its indexes.
CREATE FUNCTION reeve.swap_projection(live regclass, next regclass, suffix text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  place text := (SELECT relname FROM pg_class WHERE oid = live);
  one record;
BEGIN
  EXECUTE format('DROP TABLE %s', live);
  EXECUTE format('ALTER TABLE %s RENAME TO %I', next, place);
  FOR one IN SELECT c.relname AS name FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid
    WHERE i.indrelid = next::oid AND c.relname LIKE '%' || suffix LOOP
    EXECUTE format('ALTER INDEX reeve_read.%I RENAME TO %I', one.name,
      left(one.name, -length(suffix)));
  END LOOP;
END
$$;
REVOKE ALL ON FUNCTION reeve.swap_projection(regclass, regclass, text) FROM PUBLIC;
