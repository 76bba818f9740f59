/**
 * JSON values as the monitor keeps them. An integer token is a bigint and a float token a number, so that `1.0` stays
 * different from `1` (QMP-ARG-05). Every character of a string stands for one byte: ill-formed text must survive until the
 * encoder replaces it (QMP-STR-04). Objects are Maps, because a member may be named anything.
 */
export type JsonValue = null | boolean | bigint | number | string | JsonValue[] | JsonObject;
export type JsonObject = Map<string, JsonValue>;

/** One complete top-level value, or the one reply text that malformed input gets. */
export type Message =
  | { readonly ok: true; readonly value: JsonValue }
  /** `desc` is text that can be shown as it is. */
  | { readonly ok: false; readonly desc: string };
