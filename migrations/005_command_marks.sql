-- follows a2b855e570d7b4311bc464a7d18a0629c5d215d9e77f5d706b83b472aaa7ed79
-- How old an Idempotency-Key is, without a wall clock: one that jumped by a week would forget keys
-- that are a minute old, and their requests would be carried out twice. The keys are numbered as
-- they come; a mark names the newest of a moment and counts the time that a server saw go by since.

-- Stamped by the server's clock, so no measure.
ALTER TABLE reeve.commands DROP COLUMN expires_at_us;
-- Keys that are there already are numbered now, and live for their full time from here.
ALTER TABLE reeve.commands ADD COLUMN kept_as bigint GENERATED ALWAYS AS IDENTITY;
COMMENT ON TABLE reeve.commands IS 'Idempotency keys, kept for at least 7 days.';
-- For the sweep; it only ever grows at its end.
CREATE UNIQUE INDEX commands_in_order ON reeve.commands (kept_as);

CREATE TABLE reeve.command_marks (
  -- Of the newest key when the mark was made: those up to here are as old as the mark, or older.
  kept_to bigint PRIMARY KEY,
  -- Time that went by between two looks of one process that nobody else looked in between, by its
  -- monotonic clock. Time without a server is not counted: keys live longer then, never shorter.
  waited_us bigint NOT NULL,
  looked_by uuid NOT NULL
);
COMMENT ON TABLE reeve.command_marks IS 'How long Idempotency-Keys have been kept.';
GRANT SELECT, INSERT, UPDATE, DELETE ON reeve.command_marks TO @writer@;
