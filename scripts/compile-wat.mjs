// Compiles reference/ram/ram-kernel.wat into the module that guest RAM loads. Run it after a change of the .wat file
// (`npm run wat`) and commit the result, so that neither users nor the build need a WebAssembly toolchain.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import wabtReady from 'wabt';

const source = new URL('../reference/ram/ram-kernel.wat', import.meta.url);
const output = new URL('../reference/ram/ram-kernel-code.ts', import.meta.url);

const features = { simd: true, bulk_memory: true };

/** The text of the generated file. */
export async function compiled() {
  const wabt = await wabtReady();
  const module = wabt.parseWat('ram-kernel.wat', readFileSync(source, 'utf8'), features);
  try {
    module.resolveNames();
    module.validate(features);
    const text = Buffer.from(module.toBinary({}).buffer).toString('base64');
    const lines = text.match(/.{1,100}/g).map((line) => `  '${line}'`);
    return [
      '/** Made by scripts/compile-wat.mjs of ram-kernel.wat, in base64: change that file, not this one. */',
      'export const ramKernelCode =',
      `${lines.join(' +\n')};`,
      '',
    ].join('\n');
  } finally {
    module.destroy();
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) writeFileSync(output, await compiled());
