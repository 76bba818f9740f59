/** Requirements that no planted fault makes fail, each with the reason. */
export const unproven: Readonly<Record<string, string>> = {
  'MIG-CMD-INV-08.busy':
    'needs a processor, which the reference has not: the lies about throttles of a QEMU 10.0 are what it fails on',
};
