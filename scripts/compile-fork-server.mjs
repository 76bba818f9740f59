// Compiles targets/fork-server/server.c into the module that writes it where a program can be started with it. Run it after a
// change of the .c file (`npm run fork-server`) and commit the result, so that neither users nor the build need a C compiler.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const source = fileURLToPath(new URL('../targets/fork-server/server.c', import.meta.url));
const output = new URL('../targets/fork-server/server-code.ts', import.meta.url);

const flags = [
  ...['-Os', '-Wall', '-Wextra', '-Werror', '-shared', '-fPIC', '-nostdlib', '-ffreestanding', '-s'],
  ...['-fno-stack-protector', '-fno-asynchronous-unwind-tables', '-fcf-protection=none'],
  ...['-Wl,--build-id=none', '-Wl,-z,noseparate-code', '-Wl,-z,noexecstack', '-Wl,--hash-style=gnu'],
];

const folder = mkdtempSync(join(tmpdir(), 'fork-server-'));
try {
  const library = join(folder, 'server.so');
  execFileSync('cc', [...flags, '-o', library, source], { stdio: 'inherit' });
  const lines = readFileSync(library)
    .toString('base64')
    .match(/.{1,100}/g)
    .map((line) => `  '${line}'`);
  const text = [
    '/** Made by scripts/compile-fork-server.mjs of server.c, in base64: change that file, not this one. */',
    'export const forkServerCode =',
    `${lines.join(' +\n')};`,
    '/** SHA-256 of the server.c that it was made of. */',
    `export const forkServerSource = '${createHash('sha256').update(readFileSync(source)).digest('hex')}';`,
    '',
  ].join('\n');
  writeFileSync(output, text);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
