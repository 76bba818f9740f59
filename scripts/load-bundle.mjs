// Running what bundling.mjs has made. Another version of V8 refuses what is kept of its work, and compiles anew.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';

/**
 * The script and the exports of bundle.cjs beside the module with this address.
 */
export function loadBundle(url) {
  const file = fileURLToPath(new URL('bundle.cjs', url));
  const script = new Script(readFileSync(file, 'latin1'), { filename: file, cachedData: compiled(url) });
  let beyond;
  const load = (name) => {
    // What Node brings along is asked for without the search for packages, which costs more.
    const own = process.getBuiltinModule(name);
    if (own !== undefined) return own;
    beyond ??= createRequire(file);
    return beyond(name);
  };
  const program = { exports: {} };
  script.runInThisContext()(program.exports, load, program, url);
  return { script, exports: program.exports };
}

function compiled(url) {
  try {
    return readFileSync(fileURLToPath(new URL('bundle.cache', url)));
  } catch {
    return undefined;
  }
}
