import { type MutationSettings, NO_MUTATION } from "@bulwark/kubernetes";
import { fieldsOf, listOf, textOf } from "@bulwark/model";
import { readSetting, type TenantQueries } from "@bulwark/store";

/** Under which name a tenant's settings are kept. */
export const ADMISSION_SETTING = "admission";

export interface AdmissionSettings {
  readonly mutation: MutationSettings;
  /** Signature policy (YAML), empty for none, with the keys that it names as files. */
  readonly signature: {
    readonly policy: string;
    readonly keys: readonly { readonly name: string; readonly pem: string }[];
  };
}

/** The tenant's settings; everything off where nobody set any. */
export async function admissionSettings(db: TenantQueries): Promise<AdmissionSettings> {
  const stored = fieldsOf(await readSetting(db, ADMISSION_SETTING));
  const mutation = fieldsOf(stored.mutation);
  const signature = fieldsOf(stored.signature);
  const flag = (name: keyof MutationSettings) => mutation[name] === true;
  return {
    mutation: {
      ...NO_MUTATION,
      ...{
        pinDigests: flag("pinDigests"),
        defaultSeccomp: flag("defaultSeccomp"),
        withholdTokens: flag("withholdTokens"),
      },
    },
    signature: {
      policy: textOf(signature.policy),
      keys: listOf(signature.keys).map((each) => {
        const { name, pem } = fieldsOf(each);
        return { name: textOf(name), pem: textOf(pem) };
      }),
    },
  };
}
