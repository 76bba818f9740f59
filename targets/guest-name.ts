/** The name that a command line gives the guest. */

/**
 * The guest's name by every `-name` in these arguments, the last that gives one; `undefined` where none does. Its value is a name, or a
 * list of `guest=NAME` and other settings, in which a doubled comma stands for one.
 */
export function guestNameIn(args: readonly string[]): string | undefined {
  const values = args.flatMap((word, i) => (/^--?name$/.test(args[i - 1] ?? '') ? [word] : []));
  return values.flatMap(namesIn).at(-1);
}

function namesIn(value: string): string[] {
  const parts = value.replaceAll(',,', '\0').split(',');
  const names = parts.flatMap((part, i) => {
    const [, named] = /^guest=(.*)$/.exec(part) ?? [];
    return named ?? (i === 0 && !part.includes('=') ? part : []);
  });
  return names.map((name) => name.replaceAll('\0', ','));
}
