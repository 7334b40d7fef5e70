// Lets Prisma's WebAssembly schema engine meet PostgreSQL as its native build does: one session for the engine's
// whole life (it holds the advisory lock), each script as one simple query, tables looked up in ?schema= only.
// @prisma/adapter-pg does none of the three.
import { ColumnTypeEnum as Type, DriverAdapterError } from '@prisma/driver-adapter-utils'
import pg from 'pg'

const NAMES = { provider: 'postgres', adapterName: 'migration-health' }

// Type number → how the engine is to read it. All else goes as text, also the types of the catalog that no
// driver knows: name, int2vector, regproc, pg_node_tree.
const TYPES = {
  16: Type.Boolean, 18: Type.Character, 20: Type.Int64, 21: Type.Int32, 23: Type.Int32, 26: Type.Int64,
  700: Type.Float, 701: Type.Double, 1114: Type.DateTime, 1184: Type.DateTime, 1700: Type.Numeric,
  1002: Type.CharacterArray, 1003: Type.TextArray, 1005: Type.Int32Array, 1007: Type.Int32Array,
  1009: Type.TextArray, 1015: Type.TextArray, 1016: Type.Int64Array, 1028: Type.Int64Array,
}
const NUMBERS = new Set([Type.Int32, Type.Float, Type.Double])

function value(text, type, oid) {
  if (text === null) return null
  if (type === Type.Boolean) return text === 't'
  if (NUMBERS.has(type)) return Number(text)
  if (type === Type.DateTime) return instant(text)
  return type >= Type.Int32Array ? pg.types.getTypeParser(oid)(text) : text
}

// PostgreSQL's "2026-01-02 03:04:05.6+02" as RFC 3339
function instant(text) {
  const full = text.replace(' ', 'T')
  return /[+-]\d\d$/.test(full) ? `${full}:00` : /[+-]\d\d:\d\d$/.test(full) ? full : `${full}Z`
}

const KINDS = { '28P01': 'AuthenticationFailed', 28000: 'DatabaseAccessDenied', '3D000': 'DatabaseDoesNotExist' }

// What PostgreSQL has refused, the oldest first; who reads it empties it.
export const refusals = []

// query: a script of a migration as text, or a statement of the engine's own as an object.
function failure(error, query) {
  const { code, message, position } = error
  const own = query?.text ?? null
  if (error.severity) refusals.push({ code, message, position: position ? Number(position) : null, own })
  const told = { originalCode: code, originalMessage: message }
  if (KINDS[code]) {
    const named = /"([^"]*)"/.exec(message)?.[1]
    return new DriverAdapterError({ ...told, kind: KINDS[code], user: named, db: named })
  }
  if (error.severity) {
    const { severity, detail, column, hint } = error
    return new DriverAdapterError({ ...told, kind: 'postgres', code, severity, message, detail, column, hint })
  }
  if (error.syscall) {
    const { address: host, port } = error
    return new DriverAdapterError({ ...told, kind: 'DatabaseNotReachable', host, port })
  }
  return new DriverAdapterError({ ...told, kind: 'ConnectionClosed' })
}

/** A factory as the engine expects it, for one database. */
export function adapterFor(address) {
  const url = new URL(address)
  const schemaName = url.searchParams.get('schema') ?? 'public'

  async function connect(database = decodeURIComponent(url.pathname.slice(1))) {
    const client = new pg.Client({
      host: url.searchParams.get('host') ?? url.hostname, // a Unix socket, as Prisma takes it
      port: Number(url.port || 5432),
      user: decodeURIComponent(url.username),
      password: decodeURIComponent(url.password),
      database,
    })
    client.on('error', () => {}) // a lost connection shows in the next query
    try {
      await client.connect()
      await client.query(`SET search_path = ${client.escapeIdentifier(schemaName)}`)
    } catch (error) {
      throw failure(error)
    }
    // The CLI never disposes of its adapter: an idle connection must not keep it alive.
    const { stream } = client.connection
    stream.unref()
    let running = 0
    async function ask(query) {
      if (running++ === 0) stream.ref()
      try {
        return await client.query(query)
      } catch (error) {
        throw failure(error, query)
      } finally {
        if (--running === 0) stream.unref()
      }
    }
    const raw = ({ sql, args }) =>
      ask({ text: sql, values: args, rowMode: 'array', types: { getTypeParser: () => (text) => text } })
    return {
      ...NAMES,
      async queryRaw(query) {
        const { fields, rows } = await raw(query)
        const columnTypes = fields.map((field) => TYPES[field.dataTypeID] ?? Type.Text)
        return {
          columnNames: fields.map((field) => field.name),
          columnTypes,
          rows: rows.map((row) => row.map((text, at) => value(text, columnTypes[at], fields[at].dataTypeID))),
        }
      },
      executeRaw: async (query) => (await raw(query)).rowCount ?? 0,
      executeScript: async (script) => void (await ask(script)),
      startTransaction: refuse('transactions'),
      getConnectionInfo: () => ({ schemaName, supportsRelationJoins: true }),
      dispose: () => client.end(),
    }
  }
  // An empty database for a replay. Both stay as they are: the CLI never disposes of an adapter, and they go with it.
  async function connectToShadowDb() {
    const name = `shadow_${process.pid}_${Date.now()}`
    const admin = await connect()
    await admin.executeScript(`CREATE DATABASE ${name}`)
    return connect(name)
  }
  return { ...NAMES, connect: () => connect(), connectToShadowDb }
}

function refuse(what) {
  return async () => {
    throw new Error(`this driver has no ${what}`)
  }
}
