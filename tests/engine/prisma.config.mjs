// What the CLI reads: our adapter in place of the native engine, which npm does not carry.
import { adapterFor } from './adapter.mjs'

// The engine leaves its timer for the advisory lock armed, and with it the CLI would linger for 10 seconds.
const { setTimeout: original } = globalThis
globalThis.setTimeout = (call, delay, ...rest) => {
  const timer = original(call, delay, ...rest)
  return delay === 10_000 ? timer.unref() : timer
}

export default {
  experimental: { adapter: true },
  engine: 'js',
  schema: 'schema.prisma',
  migrations: { path: process.env.MIGRATIONS },
  adapter: async () => adapterFor(process.env.DATABASE_URL),
}
