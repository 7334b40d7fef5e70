// Stands in for the native schema engine, which npm does not carry: the JSON-RPC that Prisma's CLI speaks with it over
// stdin and stdout, answered by the WebAssembly build of the same engine. Only migrate diff is answered.
//   node native.mjs 6.19.3|7.10.1 [--datasource JSON] [--datamodels FILE]…
import { createInterface } from 'node:readline'
import { bindMigrationAwareSqlAdapterFactory } from '@prisma/driver-adapter-utils'
import { adapterFor } from './adapter.mjs'
import { load } from './wasm.mjs'

const [generation, ...options] = process.argv.slice(2)
if (options.includes('--version')) {
  console.log(`schema-engine-cli ${generation}`)
  process.exit()
}
const at = options.indexOf('--datasource')
const datasource = at < 0 ? {} : JSON.parse(options[at + 1])

// The native engine reads the URL of a schema file from its own environment variables; Prisma 7 hands it over.
function urlOf({ tag, url, files }) {
  if (tag === 'url') return url
  const variable = /url\s*=\s*env\("(\w+)"\)/.exec(files.map(({ content }) => content).join('\n'))
  return datasource.url ?? process.env[variable[1]]
}

const NO_FILTERS = { externalTables: [], externalEnums: [] } // which Prisma 5 does not name

async function diff(params) {
  const SchemaEngine = await load(generation)
  const adapter = adapterFor(urlOf(params.from))
  const engine = await SchemaEngine.new({ datamodels: undefined }, () => {}, bindMigrationAwareSqlAdapterFactory(adapter))
  const from = params.from.tag === 'url' ? { tag: 'schemaDatasource', files: params.to.files, configDir: '' } : params.from
  const { exitCode, stdout } = await engine.diff({ filters: NO_FILTERS, ...params, from })
  // The native engine gives its text by a request of its own.
  if (stdout) console.log(JSON.stringify({ id: 1, jsonrpc: '2.0', method: 'print', params: { content: stdout } }))
  return { exitCode, stdout: null }
}

const alive = setInterval(() => {}, 1000)
for await (const line of createInterface({ input: process.stdin })) {
  const { id, method, params } = JSON.parse(line)
  if (!method) continue // the answer to print
  const answer = { id, jsonrpc: '2.0' }
  try {
    if (method !== 'diff') throw new Error(`this engine has no ${method}`)
    answer.result = await diff(params)
  } catch ({ code, message }) {
    answer.error = { code: 4466, message: 'An error happened.', data: { is_panic: false, message, error_code: code } }
  }
  console.log(JSON.stringify(answer))
}
clearInterval(alive)
process.exit()
