-- follows 43eb0eb0093e73cd5c23b5ba7fbfb0c2b886778992acab6f7f56aae816448653
-- The table that takes a read model's place has the rights that the live one has at that moment,
-- not those of when it was made ready: what was granted or revoked while a long log was read holds
-- on, and a grant to everybody is one.

-- Gives a table exactly the rights that the live one has now.
CREATE FUNCTION reeve.copy_rights(live regclass, next regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
DECLARE
  one record;
BEGIN
  -- False comes first: what it has is taken, then the other's given.
  FOR one IN SELECT c.oid = live AS is_given, a.privilege_type AS privilege,
      CASE WHEN a.is_grantable THEN ' WITH GRANT OPTION' ELSE '' END AS more,
      CASE a.grantee WHEN 0 THEN 'PUBLIC' ELSE a.grantee::regrole::text END AS role
    FROM pg_class c, aclexplode(c.relacl) a WHERE c.oid IN (live, next)
      AND a.grantee <> c.relowner ORDER BY is_given LOOP
    IF one.is_given THEN
      EXECUTE format('GRANT %s ON %s TO %s%s', one.privilege, next, one.role, one.more);
    ELSE
      EXECUTE format('REVOKE %s ON %s FROM %s', one.privilege, next, one.role);
    END IF;
  END LOOP;
END
$$;
REVOKE ALL ON FUNCTION reeve.copy_rights(regclass, regclass) FROM PUBLIC;

-- As before but for the rights.
CREATE OR REPLACE FUNCTION reeve.dress_projection(live regclass, next regclass, suffix text)
RETURNS void
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
  PERFORM reeve.copy_rights(live, next);
  EXECUTE format('COMMENT ON TABLE %s IS %L', next, obj_description(live));
END
$$;
