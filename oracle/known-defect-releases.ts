/** Ends of ranges of releases, as [major, minor]. */

/** Neither on a 4.2 nor on later ones. */
export const fixedBy42 = [4, 1] as const;
/**
 * Last releases of a defect that the next dialect's release is known to be free of: which release in between mended it is
 * not known, and to a release in between a defect of its older neighbour may be left.
 */
export const fixedBy72 = [7, 1] as const;
export const fixedBy100 = [9, 2] as const;
/** Seen on the newest release that was tried. */
export const stillThere = [99, 99] as const;
