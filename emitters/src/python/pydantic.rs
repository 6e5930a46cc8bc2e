//! Pydantic and its settings.

astgen_pyast::vocabulary! {
    "pydantic": AfterValidator, AliasChoices, AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field,
        JsonValue, SecretStr, StrictBool, StrictInt, StringConstraints, TypeAdapter, ValidationError,
        field_validator, model_validator;
    "pydantic_settings": BaseSettings, SettingsConfigDict;
}
