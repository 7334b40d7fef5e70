// Prisma's schema engine without its CLI: node engine.mjs 6.19.3|7.10.1, with DATABASE_URL and MIGRATIONS set.
// Reads a JSON list of actions from stdin, does them in one session, and answers with a JSON list of the same length:
//   {"do": "diagnose"}, {"do": "deploy"}, {"do": "applied", "name": "…"} or {"do": "rolled-back", "name": "…"}
// Any may name a "url" and "migrations" of its own: then it has a session of its own.
//   → {"result": …} or {"error": {"code": …, "message": …}}, each with "begun": the names of the scripts it began, and
//     "refused": the first error of PostgreSQL's, as {"code": …, "message": …, "position": …, "own": …}, or null; own is
//     the engine's own statement, null where a script failed.
import { readFileSync, readdirSync } from 'node:fs'
import { join } from 'node:path'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import { adapterFor, refusals } from './adapter.mjs'
import { load } from './wasm.mjs'

const filters = { externalTables: [], externalEnums: [] }

// As the CLI reads it: directories only, no links to them, in the order of localeCompare; read errors go to the engine.
function readMigrations(baseDir) {
  const text = (path) => readFileSync(join(baseDir, path), 'utf8')
  const read = (path) => {
    try {
      return { tag: 'ok', value: text(path) }
    } catch (error) {
      return { tag: 'error', value: error.message }
    }
  }
  let entries = []
  try {
    entries = readdirSync(baseDir, { withFileTypes: true })
  } catch {
    // no directory: no migrations
  }
  const lockfile = read('migration_lock.toml')
  return {
    baseDir,
    lockfile: { path: 'migration_lock.toml', content: lockfile.tag === 'ok' ? lockfile.value : null },
    migrationDirectories: entries
      .filter((entry) => entry.isDirectory())
      .map(({ name }) => name)
      .sort((one, other) => one.localeCompare(other))
      .map((path) => ({ path, migrationFile: { path: 'migration.sql', content: read(join(path, 'migration.sql')) } })),
    shadowDbInitScript: '',
  }
}

const ACTIONS = {
  diagnose: (engine, migrationsList) =>
    engine.diagnoseMigrationHistory({ migrationsList, optInToShadowDatabase: false, filters }),
  deploy: (engine, migrationsList) => engine.applyMigrations({ migrationsList, filters }),
  applied: (engine, migrationsList, migrationName) =>
    engine.markMigrationApplied({ migrationName, migrationsList, filters }),
  'rolled-back': (engine, migrationsList, migrationName) => engine.markMigrationRolledBack({ migrationName }),
}

let begun = []
function listen(line) {
  const { fields, span } = JSON.parse(line)
  if (span?.migration_name && fields.message.startsWith('Applying `')) begun.push(span.migration_name)
}

async function answer(work) {
  begun = []
  refusals.length = 0
  try {
    return { result: (await work()) ?? null, begun, refused: refusals[0] ?? null }
  } catch (error) {
    return { error: { code: error.code ?? null, message: error.message }, begun, refused: refusals[0] ?? null }
  }
}

const { DATABASE_URL, MIGRATIONS } = process.env
const actions = JSON.parse(readFileSync(0, 'utf8'))
const SchemaEngine = await load(process.argv[2])
async function connect(url) {
  let session
  const { connect: begin, ...rest } = adapterFor(url)
  const adapter = { ...rest, connect: async () => (session = await begin()) }
  const engine = await SchemaEngine.new({ datamodels: undefined }, listen, bindMigrationAwareSqlAdapterFactory(adapter))
  return { engine, close: () => session?.dispose() }
}
let shared
const connected = DATABASE_URL ? await answer(async () => void (shared = await connect(DATABASE_URL))) : undefined
const answers = []
for (const { do: action, name, url, migrations = MIGRATIONS } of actions) {
  const act = ({ engine }) => ACTIONS[action](engine, readMigrations(migrations), name)
  if (!url) {
    answers.push(shared ? await answer(() => act(shared)) : connected)
    continue
  }
  let own
  answers.push(await answer(async () => act((own = await connect(url)))))
  await own?.close()
}
// The timer of the advisory lock would keep this process for 10 seconds.
process.stdout.write(JSON.stringify(answers), () => process.exit())
