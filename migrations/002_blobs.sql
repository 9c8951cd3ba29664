-- Blobs: logs, artifacts and uploads, by tenant and SHA-256. Events carry the digest; the bytes are
-- committed before the event that names them, and swept when no event does.

-- A row here means that every chunk is there: it is written last.
CREATE TABLE reeve.blobs (
  tenant uuid NOT NULL,
  sha256 bytea NOT NULL,
  bytes bigint NOT NULL,
  created_at_us bigint NOT NULL,
  PRIMARY KEY (tenant, sha256)
);
COMMENT ON TABLE reeve.blobs IS
  'Logs, artifacts and uploads of tenants, by digest. Never the text of a prompt or a completion '
  'that reached a language model route.';
-- The sweep looks at old ones first.
CREATE INDEX blobs_age ON reeve.blobs (created_at_us);

-- 256 KiB each, so that a read of any size costs bounded memory.
CREATE TABLE reeve.blob_chunks (
  tenant uuid NOT NULL,
  sha256 bytea NOT NULL,
  ordinal int NOT NULL,
  data bytea NOT NULL,
  PRIMARY KEY (tenant, sha256, ordinal)
);
COMMENT ON TABLE reeve.blob_chunks IS 'The bytes of reeve.blobs in pieces of 256 KiB.';

SELECT reeve.make_tenant_policies('reeve.blobs', 'tenant');
SELECT reeve.make_tenant_policies('reeve.blob_chunks', 'tenant');
-- A blob is written once and removed as a whole; UPDATE is for the time of its last upload, which
-- keeps the sweep away.
GRANT SELECT, INSERT, UPDATE, DELETE ON reeve.blobs TO @writer@;
GRANT SELECT, INSERT, DELETE ON reeve.blob_chunks TO @writer@;
GRANT SELECT ON reeve.blobs, reeve.blob_chunks TO @reader@;
