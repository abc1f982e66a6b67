import { defineConfig } from "eslint/config";
import tseslint from "typescript-eslint";

/** What each folder may not import: a later stage may import an earlier one, never the reverse. */
const LATER = {
  lib: ["tenants", "templates", "plan", "stack", "components", "tools"],
  tenants: ["templates", "plan", "stack", "components", "tools"],
  templates: ["plan", "stack", "components", "tools"],
  plan: ["stack", "components", "tools"],
  // These two meet in index.ts alone: components read no config, and what reads it makes no resources.
  stack: ["components", "tools"],
  components: ["stack", "tools"],
  tools: ["components"],
};

/** Plain functions on plain data, whoever calls them. */
const PURE = ["lib", "tenants", "templates", "plan"];

/**
 * Refuses imports that point backwards, and the engine where a stage is pure.
 * @param {[string, string[]]} stage
 * @returns {import("eslint").Linter.Config}
 */
function keepDirection([stage, later]) {
  const patterns = [
    { regex: `^(\\.\\./)+(${[...later, "index\\.ts", "test"].join("|")})(/|$)`, message: "a later stage may import an earlier one, never the reverse" },
    ...(PURE.includes(stage) ? [{ group: ["@pulumi/*"], message: "this stage is plain functions on plain data" }] : []),
  ];
  return { files: [`${stage}/**/*.ts`], rules: { "no-restricted-imports": ["error", { patterns }] } };
}

export default defineConfig(
  { ignores: ["node_modules/", ".local/", "tools/plug-ins/", "tools/engine/"] },
  { linterOptions: { reportUnusedDisableDirectives: "error" } },
  {
    files: ["**/*.ts"],
    extends: [tseslint.configs.strictTypeChecked, tseslint.configs.stylisticTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      // An Output in a template string prints as an apology, not as its value; numbers are fine.
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true, allowBoolean: true }],
      "@typescript-eslint/consistent-type-imports": ["error", { fixStyle: "inline-type-imports" }],
      "@typescript-eslint/explicit-module-boundary-types": "error",
      "@typescript-eslint/switch-exhaustiveness-check": "error",
      "@typescript-eslint/promise-function-async": "off",
      // A resource is registered by making it.
      "no-new": "off",
      eqeqeq: "error",
      "no-console": "error",
      "no-restricted-syntax": [
        "error",
        { selector: "TSEnumDeclaration", message: "use a union of literals" },
        // Not in Node's own reading of TypeScript either.
        { selector: "TSParameterProperty", message: "declare the field and assign it" },
        {
          selector:
            "CallExpression[callee.property.name='apply'] NewExpression[callee.object.name=/^(docker|random|pulumi)$/]:not([callee.property.name='RunError'])",
          message: "how many resources exist is settled before the first is created",
        },
      ],
      // Its type says what the key may be, and the compiler asks for brackets.
      "@typescript-eslint/dot-notation": "off",
    },
  },
  ...Object.entries(LATER).map(keepDirection),
  {
    files: ["{lib,tenants,templates,plan}/**/*.ts"],
    rules: {
      "no-restricted-properties": [
        "error",
        { object: "Math", property: "random" },
        { object: "Date", property: "now" },
        { object: "process", property: "env" },
      ],
    },
  },
);
