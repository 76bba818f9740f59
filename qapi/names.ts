/** Which names the schema language allows. */
import { fail, type Position } from './source.js';

/** An optional vendor prefix such as `__com.example_`, then letters, digits, `-` and `_`. */
const name = /^(?:__[A-Za-z0-9.-]+_)?[A-Za-z][A-Za-z0-9_-]*$/;
const enumValue = /^(?:__[A-Za-z0-9.-]+_)?[A-Za-z0-9][A-Za-z0-9_-]*$/;

export function checkName(text: string, at: Position, what: string): void {
  if (!name.test(text)) fail(at, `'${text}' is not a valid name for ${what}`);
  if (text.startsWith('q_')) fail(at, `'${text}' is not a valid name for ${what}: 'q_' is reserved`);
}

export function checkTypeName(text: string, at: Position, what: string): void {
  checkName(text, at, what);
  if (text.endsWith('List')) fail(at, `'${text}' is not a valid name for ${what}: names ending in 'List' are reserved`);
}

export function checkMemberName(text: string, at: Position, what: string): void {
  checkName(text, at, what);
  if (sameName(text) === 'u' || sameName(text).startsWith('has_'))
    fail(at, `'${text}' is not a valid name for ${what}: it is reserved`);
}

export function checkEnumValue(text: string, at: Position): void {
  if (!enumValue.test(text)) fail(at, `'${text}' is not a valid name for a value of an enum`);
}

/** Names that differ only in `-` against `_` collide in the languages that the schema is compiled to. */
export const sameName = (text: string): string => text.replaceAll('-', '_');
