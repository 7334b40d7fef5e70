ALTER TABLE "Ticket" ADD COLUMN "note" VARCHAR(9) CHECK ("note" IN ('x', 'y'));
