DROP INDEX "Order_state_idx";
