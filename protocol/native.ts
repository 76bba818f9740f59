/**
 * The C library's functions, called through koffi, an optional dependency: what Node has no call for, or only a dear one.
 * Without it, or on another system than 64-bit Linux, whoever asks does without.
 */
export type Koffi = typeof import('koffi').default;

let loaded: Promise<Koffi | undefined> | undefined;

/** koffi, for a system whose structures and numbers are known here; undefined where there is none. Loads it at the first call. */
export function nativeCalls(): Promise<Koffi | undefined> {
  loaded ??= load();
  return loaded;
}

async function load(): Promise<Koffi | undefined> {
  if (process.platform !== 'linux' || !['x64', 'arm64', 'riscv64', 'loong64'].includes(process.arch)) return undefined;
  try {
    return (await import('koffi')).default;
  } catch {
    // Not installed, or not built for this system.
    return undefined;
  }
}
