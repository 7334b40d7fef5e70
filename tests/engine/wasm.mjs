// Loads Prisma's schema engine from its WebAssembly build.
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const HERE = fileURLToPath(new URL('.', import.meta.url))
const CODE = {
  '6.19.3': 'node_modules/engine-6.19.3/schema_engine_bg.wasm',
  '7.10.1': 'engine-7.10.1.wasm',
}

/** The class SchemaEngine of a generation, 6.19.3 or 7.10.1. */
export async function load(generation) {
  const glue = await import(`engine-${generation}/schema_engine_bg`)
  const code = readFileSync(join(HERE, CODE[generation]))
  const { instance } = await WebAssembly.instantiate(code, { './schema_engine_bg.js': glue })
  glue.__wbg_set_wasm(instance.exports)
  globalThis.PRISMA_WASM_PANIC_REGISTRY = { set_message: (text) => console.error(text) }
  instance.exports.__wbindgen_start()
  return glue.SchemaEngine
}
