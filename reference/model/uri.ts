import type { MigrationRules } from '../dialects/migration.js';

/** A migration URI, as far as it can be judged without touching the world (commands.md §9.3 and §11). */
export type MigrationUri =
  | { readonly kind: 'tcp'; readonly host: string; readonly port: string }
  | { readonly kind: 'unix'; readonly path: string }
  | { readonly kind: 'exec'; readonly command: string }
  | { readonly kind: 'fd'; readonly name: string }
  /** A known scheme with an address that cannot be used. */
  | { readonly kind: 'bad'; readonly desc: string }
  | { readonly kind: 'unknown' };

/** Schemes are matched by case-sensitive prefix. */
export function parseUri(uri: string, rules: MigrationRules): MigrationUri {
  if (uri.startsWith('tcp:')) return parseInet(uri.slice(4));
  if (uri.startsWith('unix:')) {
    const path = uri.slice(5);
    if (path === '' && rules.emptyUnixPathRefused) return { kind: 'bad', desc: 'invalid Unix socket address' };
    return { kind: 'unix', path };
  }
  if (uri.startsWith('exec:')) return { kind: 'exec', command: uri.slice(5) };
  if (uri.startsWith('fd:')) return { kind: 'fd', name: uri.slice(3) };
  return { kind: 'unknown' };
}

/** `HOST:PORT`, `:PORT` or `[V6]:PORT`; what follows a comma is ignored. */
function parseInet(rest: string): MigrationUri {
  const parse = (pattern: RegExp, what: string): MigrationUri => {
    const match = pattern.exec(rest);
    if (match === null) return { kind: 'bad', desc: `error parsing ${what} '${rest}'` };
    return { kind: 'tcp', host: match[1] ?? '', port: match[2] ?? '' };
  };
  if (rest.startsWith(':')) return parse(/^():([^,]{1,32})(?:,|$)/, 'port in address');
  if (rest.startsWith('[')) return parse(/^\[([^\]]{1,64})\]:([^,]{1,32})(?:,|$)/, 'IPv6 address');
  return parse(/^([^:]{1,64}):([^,]{1,32})(?:,|$)/, 'address');
}
