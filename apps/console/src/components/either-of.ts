import type { FormRule } from "antd";

/** A field that may be empty where another is filled in. @param other the other's name */
export function eitherOf(other: string, message: string): FormRule {
  return (form) => ({
    validator: async (_, value) => {
      if (!value && !form.getFieldValue(other)) throw new Error(message);
    },
  });
}
