/** Puts another method in the place of one of an object's; `make` gets the right one. */
export function instead<T extends object, K extends keyof T>(object: T, name: K, make: (honest: T[K]) => T[K]): void {
  const honest = object[name];
  object[name] = make(typeof honest === 'function' ? honest.bind(object) : honest);
}
