import type { Analyzer } from "@bulwark/model";
import { apk } from "./apk/apk.ts";
import { dpkg } from "./dpkg/dpkg.ts";
import { osRelease } from "./os-release/os-release.ts";
import { rpm } from "./rpm/rpm.ts";

/** Every analyzer there is. A new one is its file, its test, and one line here. */
export const analyzers: readonly Analyzer[] = [osRelease, dpkg, apk, rpm];
