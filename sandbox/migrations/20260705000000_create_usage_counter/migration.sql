-- integrationId is plain text without a foreign key: counters outlive integrations.

-- CreateTable
CREATE TABLE "UsageCounter" (
    "id" SERIAL NOT NULL,
    "integrationId" TEXT NOT NULL,
    "integrationType" TEXT NOT NULL,
    "metric" TEXT NOT NULL,
    "window" TEXT NOT NULL,
    "count" INTEGER NOT NULL DEFAULT 0,
    "createdAt" TIMESTAMP(3) NOT NULL DEFAULT CURRENT_TIMESTAMP,
    "updatedAt" TIMESTAMP(3) NOT NULL,

    CONSTRAINT "UsageCounter_pkey" PRIMARY KEY ("id")
);

-- CreateIndex
CREATE INDEX "UsageCounter_integrationType_metric_window_idx" ON "UsageCounter"("integrationType", "metric", "window");

-- CreateIndex
CREATE INDEX "UsageCounter_window_idx" ON "UsageCounter"("window");

-- CreateIndex
CREATE UNIQUE INDEX "UsageCounter_integrationId_integrationType_metric_window_key" ON "UsageCounter"("integrationId", "integrationType", "metric", "window");
