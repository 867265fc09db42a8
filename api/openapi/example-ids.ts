/** The ids in the examples, so that those of one story belong together. */
export const ids = {
  user: "0f3ab1de-8b6c-4c1e-9a53-2a5d1d0f7c11",
  jti: "c56a4180-65aa-42ec-a945-5fd21dec0538",
  sid: "8a9d1f6c-6f0e-4a55-9a52-7e6b0c1d2e3f",
  event: "5f0c4f0e-6a3c-4a3d-9d5e-0d3e6c3f9a51",
  request: "2d9a6c1e-4f0b-4b43-8f0e-91b7c3f0a7d2",
  instances: ["7c9e6679-7425-40de-944b-e07fc1f90ae7", "16fd2706-8baf-433b-82eb-8c7fada847da"],
} as const;
