import { createContext, type ReactNode, use, useEffect, useMemo, useState } from "react";
import { en, type Key, type Strings } from "./en.ts";
import { fill, type Values } from "./fill.ts";
import { type Formats, formatsOf } from "./formats.ts";
import { zh } from "./zh.ts";

export const LANGUAGES = ["en", "zh"] as const;
export type Language = (typeof LANGUAGES)[number];

/** BCP 47 tags, for Intl and the `lang` attribute. */
const TAGS: Readonly<Record<Language, string>> = { en: "en", zh: "zh-CN" };
const STRINGS: Readonly<Record<Language, Strings>> = { en, zh };
const REMEMBERED = "bulwark.language";

export type Translate = (key: Key, values?: Values) => string;

export interface Speech {
  readonly language: Language;
  readonly speak: (language: Language) => void;
  readonly t: Translate;
  /** The word for a value of the server's, such as `nameOf("grade", "high")`; one that has none stays as it is. */
  readonly nameOf: (group: string, value: string) => string;
  readonly format: Formats;
}

const SpeechContext = createContext<Speech | undefined>(undefined);

/** The language of everything below: the remembered one, else the browser's. */
export function LanguageProvider({ children }: { readonly children: ReactNode }) {
  const [language, setLanguage] = useState(firstLanguage);
  useEffect(() => {
    document.documentElement.lang = TAGS[language];
  }, [language]);
  const speech = useMemo<Speech>(() => {
    const tag = TAGS[language];
    const speak = (next: Language) => {
      window.localStorage.setItem(REMEMBERED, next);
      setLanguage(next);
    };
    const t: Translate = (key, values) => fill(STRINGS[language][key], values, tag);
    const nameOf = (group: string, value: string) => {
      const key = `${group}.${value}`;
      return Object.hasOwn(en, key) ? t(key as Key) : value;
    };
    return { language, speak, t, nameOf, format: formatsOf(tag, t) };
  }, [language]);
  return <SpeechContext value={speech}>{children}</SpeechContext>;
}

/**
 * Words, numbers and times in the chosen language.
 *
 * @example const { t, format } = useSpeech(); t("images.count", { n: 3 }); format.bytes(1024);
 */
export function useSpeech(): Speech {
  const speech = use(SpeechContext);
  if (speech === undefined) throw new Error("no LanguageProvider above");
  return speech;
}

function firstLanguage(): Language {
  const remembered = window.localStorage.getItem(REMEMBERED);
  const known = LANGUAGES.find((language) => language === remembered);
  if (known !== undefined) return known;
  return window.navigator.language.toLowerCase().startsWith("zh") ? "zh" : "en";
}
