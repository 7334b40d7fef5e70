ALTER TABLE "Booking" ADD CONSTRAINT "Booking_other" EXCLUDE USING GIST ("room" WITH =, "from" WITH =, "id" WITH <>);
