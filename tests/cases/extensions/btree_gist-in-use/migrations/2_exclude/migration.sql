CREATE EXTENSION IF NOT EXISTS btree_gist;
ALTER TABLE "Booking" ADD CONSTRAINT "Booking_apart" EXCLUDE USING GIST ("room" WITH =, tsrange("from", "to") WITH &&);
