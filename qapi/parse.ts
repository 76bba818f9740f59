/** Entry to the schema language: a text, or a file with all that it includes, to a Schema. */
import { readFileSync } from 'node:fs';
import { buildSchema } from './check.js';
import { type ReadOptions, readExpressions } from './expressions.js';
import type { Schema } from './schema.js';

/**
 * Parses and checks a schema text. `file` names it in messages; `include` gives the text of other files, by their path
 * relative to the same place as `file`. Every fault in the text is thrown as QapiError.
 */
export function parseQapi(text: string, options: ReadOptions = {}): Schema {
  return buildSchema(readExpressions(text, options));
}

/** Parses the file at `path` and everything that it includes. A file that cannot be read at all throws as `fs` does. */
export function loadQapi(path: string): Schema {
  const read = (file: string) => readFileSync(file, 'utf8');
  return parseQapi(read(path), { file: path, include: read });
}
