-- follows ca892636395c0f3f1b8d5b62d87426f5d5da6cdbeb74f1dedadafd0468d292d8
-- Named secrets: which there are is a read model, their values are no part of the log.

-- Neither event nor projection: a value that were in the log could never be destroyed. A row is
-- there before the event that names it, and goes once an event has left no use for it. It is sealed
-- (XChaCha20-Poly1305, bound to tenant, name and id) with a key that lies in the server's data
-- folder and nowhere in the database.
CREATE TABLE reeve.secret_values (
  tenant uuid NOT NULL,
  id uuid NOT NULL,
  name text COLLATE "C" NOT NULL,
  -- Which key it is sealed with: one that is lost, or another server's, is told as such.
  key_id text COLLATE "C" NOT NULL,
  sealed bytea NOT NULL,
  created_at_us bigint NOT NULL,
  PRIMARY KEY (tenant, id)
);
COMMENT ON TABLE reeve.secret_values IS
  'Values of named secrets, sealed; the key is in the data folder of the server.';
-- Whether there are any of another key is asked before each new one.
CREATE INDEX secret_values_key ON reeve.secret_values (key_id);
SELECT reeve.make_tenant_policies('reeve.secret_values', 'tenant');
-- Written once and removed; nobody who reads for clients has anything to look for here.
GRANT SELECT, INSERT, DELETE ON reeve.secret_values TO @writer@;

CREATE TABLE reeve_read.secrets (
  tenant uuid NOT NULL,
  id text COLLATE "C" NOT NULL,
  created_position bigint NOT NULL,
  is_active boolean NOT NULL,
  last_position bigint NOT NULL,
  -- Ids of the values that are still needed, with spaces in between; the others are swept.
  kept text COLLATE "C" NOT NULL,
  doc text COLLATE "C" NOT NULL,
  PRIMARY KEY (tenant, id)
) WITH (fillfactor = 80);
COMMENT ON TABLE reeve_read.secrets IS 'Named secrets without their values; the id is the name.';
CREATE INDEX secrets_page ON reeve_read.secrets (tenant, created_position, id);
SELECT reeve.make_tenant_policies('reeve_read.secrets', 'tenant');
GRANT SELECT, INSERT, UPDATE, DELETE ON reeve_read.secrets TO @writer@;
GRANT SELECT ON reeve_read.secrets TO @reader@;
