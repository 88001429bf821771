/** Printed by `bulwark sign --help`. */
export const SIGN_HELP = `Sign an image in its registry. The signature is cosign's, and lies where cosign looks for it.

Usage: bulwark sign REF --key FILE [options]
       bulwark sign --generate-key PREFIX

REF names an image in a registry; its digest is signed, so that a tag that moves takes no signature along.

Options
  --key FILE             private key: cosign's, or any in PEM
  --generate-key PREFIX  make a key pair: PREFIX.key and PREFIX.pub
  --ca-file FILE         also trust the certificates in FILE (PEM)
  --plain-http           talk plain HTTP to the registry

The key's passphrase is read from BULWARK_KEY_PASSPHRASE; unset or empty means none.

Examples
  bulwark sign --generate-key release
  bulwark sign registry.example/team/app:1.4 --key release.key
  bulwark scan registry.example/team/app:1.4 --require-signature signed.yaml
`;
