#include "fhir/model.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cstddef>
#include <functional>
#include <ostream>
#include <span>
#include <string>
#include <string_view>
#include <vector>

namespace stepwise {
namespace {

constexpr FhirVersion kR4 = FhirVersion::kR4;
constexpr FhirVersion kR5 = FhirVersion::kR5;

struct ElementRow {
  FhirVersion version;
  std::string_view type;
  std::string_view name;
  std::string_view base;
  std::string_view element_type;  // "" where the type has no such property
  bool many = false;
  int min = 0;
  bool choice = false;
};

void PrintTo(const ElementRow& row, std::ostream* out) {
  *out << FhirVersionText(row.version) << " " << row.type << "." << row.name;
}

constexpr ElementRow kElementRows[] = {
    // Plain, own and inherited.
    {kR4, "Patient", "birthDate", "birthDate", "date"},
    {kR4, "Patient", "name", "name", "HumanName", true},
    {kR4, "Patient", "id", "id", "id"},  // the definitions of 4.0.1 say string, their text id
    {kR5, "Patient", "id", "id", "id"},
    {kR4, "Patient", "meta", "meta", "Meta"},
    {kR4, "Patient", "implicitRules", "implicitRules", "uri"},
    {kR4, "Patient", "contained", "contained", "Resource", true},
    {kR4, "Patient", "text", "text", "Narrative"},
    {kR4, "Patient", "modifierExtension", "modifierExtension", "Extension", true},
    {kR4, "Bundle", "contained", "", ""},  // a Resource, but no DomainResource
    {kR4, "Narrative", "div", "div", "xhtml", false, 1},
    {kR4, "Observation", "status", "status", "code", false, 1},
    {kR4, "Observation", "code", "code", "CodeableConcept", false, 1},
    {kR4, "Age", "value", "value", "decimal"},
    {kR4, "Age", "system", "system", "uri"},
    {kR4, "HumanName", "id", "id", "string"},
    {kR4, "Extension", "url", "url", "uri", false, 1},
    {kR4, "Reference", "identifier", "identifier", "Identifier"},
    {kR4, "Attachment", "size", "size", "unsignedInt"},
    {kR5, "Attachment", "size", "size", "integer64"},
    {kR4, "Meta", "compartment", "", ""},
    {kR4, "Patient", "value", "", ""},
    {kR4, "Patient", "resourceType", "", ""},

    // The value of a primitive is not a child.
    {kR4, "string", "id", "id", "string"},
    {kR4, "string", "extension", "extension", "Extension", true},
    {kR4, "string", "value", "", ""},
    {kR4, "code", "extension", "extension", "Extension", true},
    {kR5, "code", "value", "", ""},
    {kR4, "xhtml", "extension", "", ""},  // max = 0

    // Choices.
    {kR4, "Observation", "valueQuantity", "value", "Quantity", false, 0, true},
    {kR4, "Observation", "valueCodeableConcept", "value", "CodeableConcept", false, 0, true},
    {kR4, "Observation", "valueDateTime", "value", "dateTime", false, 0, true},
    {kR4, "Observation", "valueBoolean", "value", "boolean", false, 0, true},
    {kR4, "Observation", "valueReference", "", ""},
    {kR4, "Observation", "valueAttachment", "", ""},
    {kR5, "Observation", "valueAttachment", "value", "Attachment", false, 0, true},
    {kR4, "Observation", "value", "", ""},
    {kR4, "Observation", "effectivePeriod", "effective", "Period", false, 0, true},
    {kR4, "Library", "effectivePeriod", "effectivePeriod", "Period"},
    {kR4, "Patient", "deceasedBoolean", "deceased", "boolean", false, 0, true},
    {kR4, "Patient", "multipleBirthInteger", "multipleBirth", "integer", false, 0, true},
    {kR4, "Condition", "onsetAge", "onset", "Age", false, 0, true},
    {kR4, "Dosage", "asNeededCodeableConcept", "asNeeded", "CodeableConcept", false, 0, true},
    {kR4, "Extension", "valueBase64Binary", "value", "base64Binary", false, 0, true},
    {kR4, "Extension", "valueMeta", "value", "Meta", false, 0, true},
    {kR4, "Extension", "valueInteger64", "", ""},
    {kR5, "Extension", "valueInteger64", "value", "integer64", false, 0, true},
    {kR4, "ElementDefinition", "patternCodeableConcept", "pattern", "CodeableConcept", false, 0, true},
    // An ordinary property whose name sorts between two alternatives of a choice.
    {kR5, "ConceptMap.group.element.target.dependsOn", "valueSet", "valueSet", "canonical"},
    {kR5, "ConceptMap.group.element.target.dependsOn", "valueString", "value", "string", false, 0, true},
    {kR4, "MedicationRequest", "medicationCodeableConcept", "medication", "CodeableConcept", false, 1, true},
    {kR4, "MedicationRequest", "medicationReference", "medication", "Reference", false, 1, true},
    {kR4, "MedicationRequest", "medication", "", ""},
    {kR5, "MedicationRequest", "medication", "medication", "CodeableReference", false, 1},
    {kR5, "MedicationRequest", "medicationReference", "", ""},

    // Backbones.
    {kR4, "Patient", "contact", "contact", "Patient.contact", true},
    {kR4, "Patient.contact", "relationship", "relationship", "CodeableConcept", true},
    {kR4, "Patient.contact", "modifierExtension", "modifierExtension", "Extension", true},
    {kR4, "Timing", "repeat", "repeat", "Timing.repeat"},
    {kR4, "Timing.repeat", "boundsPeriod", "bounds", "Period", false, 0, true},
    {kR4, "Timing.repeat", "modifierExtension", "", ""},
    {kR4, "Dosage", "doseAndRate", "doseAndRate", "Dosage.doseAndRate", true},
    {kR4, "Dosage.doseAndRate", "doseQuantity", "dose", "Quantity", false, 0, true},
    {kR4, "Bundle", "entry", "entry", "Bundle.entry", true},
    {kR4, "Bundle.entry", "resource", "resource", "Resource"},
    {kR4, "Bundle.entry.response", "outcome", "outcome", "Resource"},
    {kR4, "Parameters.parameter", "resource", "resource", "Resource"},

    // References to the content of another element.
    {kR4, "Bundle.entry", "link", "link", "Bundle.link", true},
    {kR4, "Questionnaire", "item", "item", "Questionnaire.item", true},
    {kR4, "Questionnaire.item", "item", "item", "Questionnaire.item", true},
    {kR4, "QuestionnaireResponse.item.answer", "item", "item", "QuestionnaireResponse.item", true},
    {kR4, "Observation.component", "referenceRange", "referenceRange", "Observation.referenceRange", true},
    {kR4, "Parameters.parameter", "part", "part", "Parameters.parameter", true},
    {kR4, "PlanDefinition.action", "action", "action", "PlanDefinition.action", true},
    {kR4, "ValueSet.compose", "exclude", "exclude", "ValueSet.compose.include", true},

    // Only in one version.
    {kR5, "CodeableReference", "concept", "concept", "CodeableConcept"},
    {kR5, "CodeableReference", "reference", "reference", "Reference"},
    {kR4, "CodeableReference", "concept", "", ""},
    {kR5, "Encounter", "actualPeriod", "actualPeriod", "Period"},
    {kR4, "Encounter", "actualPeriod", "", ""},
    {kR4, "Encounter", "period", "period", "Period"},
    {kR5, "Bundle", "issues", "issues", "Resource"},
    {kR4, "RequestGroup", "action", "action", "RequestGroup.action", true},
    {kR5, "RequestGroup", "action", "", ""},
};

class ElementTest : public testing::TestWithParam<ElementRow> {};

TEST_P(ElementTest, IsAsDefined) {
  const ElementRow& row = GetParam();
  const Model& model = Model::Get(row.version);
  const TypeId type = FindFhirType(row.type);
  ASSERT_NE(type, types::kNone);
  ASSERT_NE(FindName(row.name), kNoName);
  const Element* element = model.Find(type, FindName(row.name));
  if (row.element_type.empty()) {
    EXPECT_EQ(element, nullptr);
    return;
  }
  ASSERT_NE(element, nullptr);
  EXPECT_EQ(NameText(element->name), row.name);
  EXPECT_EQ(NameText(element->base), row.base);
  EXPECT_EQ(TypeName(element->type), row.element_type);
  EXPECT_EQ(element->many, row.many);
  EXPECT_EQ(element->min, row.min);
  EXPECT_EQ(element->is_choice, row.choice);
}

INSTANTIATE_TEST_SUITE_P(Rows, ElementTest, testing::ValuesIn(kElementRows));

struct ChainRow {
  FhirVersion version;
  std::string_view type;
  std::vector<std::string> ancestors;
};

TEST(ModelTest, BaseFollowsTheDefinitions) {
  const ChainRow rows[] = {
      {kR4, "code", {"string", "Element"}},
      {kR4, "id", {"string", "Element"}},
      {kR4, "markdown", {"string", "Element"}},
      {kR4, "url", {"uri", "Element"}},
      {kR4, "canonical", {"uri", "Element"}},
      {kR4, "uuid", {"uri", "Element"}},
      {kR4, "oid", {"uri", "Element"}},
      {kR4, "positiveInt", {"integer", "Element"}},
      {kR4, "unsignedInt", {"integer", "Element"}},
      {kR4, "instant", {"Element"}},
      {kR4, "Age", {"Quantity", "Element"}},
      {kR4, "Duration", {"Quantity", "Element"}},
      {kR4, "Patient", {"DomainResource", "Resource"}},
      {kR4, "Bundle", {"Resource"}},
      {kR4, "Patient.contact", {"BackboneElement", "Element"}},
      {kR4, "Timing", {"BackboneElement", "Element"}},
      {kR4, "Timing.repeat", {"Element"}},
      {kR4, "Element", {}},
      {kR4, "Resource", {}},
      {kR5, "code", {"string", "PrimitiveType", "DataType", "Element", "Base"}},
      {kR5, "integer64", {"PrimitiveType", "DataType", "Element", "Base"}},
      {kR5, "Count", {"Quantity", "DataType", "Element", "Base"}},
      {kR5, "Timing", {"BackboneType", "DataType", "Element", "Base"}},
      {kR5, "Patient", {"DomainResource", "Resource", "Base"}},
      {kR5, "Patient.contact", {"BackboneElement", "Element", "Base"}},
      {kR5, "Base", {}},
  };
  for (const ChainRow& row : rows) {
    const Model& model = Model::Get(row.version);
    const TypeId type = FindFhirType(row.type);
    std::vector<std::string> ancestors;
    for (TypeId at = model.Base(type); at != types::kNone; at = model.Base(at)) {
      ancestors.emplace_back(TypeName(at));
    }
    EXPECT_TRUE(model.Has(type)) << row.type;
    EXPECT_EQ(ancestors, row.ancestors) << FhirVersionText(row.version) << " " << row.type;
  }
}

TEST(ModelTest, KindsAndAbstractTypes) {
  const Model& r4 = Model::Get(kR4);
  EXPECT_EQ(r4.Kind(types::kSystemString), TypeKind::kSystem);
  EXPECT_EQ(r4.Kind(types::kString), TypeKind::kPrimitive);
  EXPECT_EQ(r4.Kind(types::kXhtml), TypeKind::kPrimitive);
  EXPECT_EQ(r4.Kind(types::kQuantity), TypeKind::kComplex);
  EXPECT_EQ(r4.Kind(types::kBackboneElement), TypeKind::kComplex);
  EXPECT_EQ(r4.Kind(FindFhirType("Patient.contact")), TypeKind::kBackbone);
  EXPECT_EQ(r4.Kind(FindFhirType("Timing.repeat")), TypeKind::kBackbone);
  EXPECT_EQ(r4.Kind(types::kPatient), TypeKind::kResource);
  EXPECT_EQ(r4.Kind(types::kDomainResource), TypeKind::kResource);
  EXPECT_TRUE(r4.IsAbstract(types::kResource));
  EXPECT_TRUE(r4.IsAbstract(types::kDomainResource));
  EXPECT_TRUE(r4.IsAbstract(types::kSystemAny));
  EXPECT_FALSE(r4.IsAbstract(types::kPatient));
  EXPECT_FALSE(r4.IsAbstract(types::kSystemString));
  EXPECT_TRUE(Model::Get(kR5).IsAbstract(types::kMetadataResource));
}

TEST(ModelTest, VersionsHaveTheirTypes) {
  EXPECT_EQ(Model::Get(kR4).version(), kR4);
  EXPECT_EQ(Model::Get(kR5).version(), kR5);
  for (const TypeId type : {types::kCodeableReference, types::kInteger64, types::kBase, types::kDataType,
                            types::kSubscriptionStatus, types::kActorDefinition}) {
    EXPECT_FALSE(Model::Get(kR4).Has(type)) << TypeName(type);
    EXPECT_TRUE(Model::Get(kR5).Has(type)) << TypeName(type);
    EXPECT_TRUE(Model::Get(kR4).Elements(type).empty()) << TypeName(type);
  }
  for (const TypeId type : {types::kRequestGroup, types::kMedia}) {
    EXPECT_TRUE(Model::Get(kR4).Has(type)) << TypeName(type);
    EXPECT_FALSE(Model::Get(kR5).Has(type)) << TypeName(type);
  }
  EXPECT_TRUE(Model::Get(kR4).Has(types::kSystemLong));
  EXPECT_FALSE(Model::Get(kR4).Has(types::kNone));
  EXPECT_EQ(Model::Get(kR4).Types().size(), 682u);
  EXPECT_EQ(Model::Get(kR5).Types().size(), 861u);
}

TEST(ModelTest, FindsTypesByName) {
  for (TypeId type = types::kBoolean; type < kTypeCount; ++type) {
    EXPECT_EQ(FindFhirType(TypeName(type)), type) << TypeName(type);
  }
  for (TypeId type = types::kSystemAny; IsSystemType(type); ++type) {
    EXPECT_EQ(FindSystemType(TypeName(type)), type) << TypeName(type);
  }
  EXPECT_EQ(FindFhirType("Quantity"), types::kQuantity);
  EXPECT_EQ(FindSystemType("Quantity"), types::kSystemQuantity);
  for (const std::string_view name :
       {"", "patient", "Patients", "System.String", "String", "Any", "SimpleQuantity", "MoneyQuantity",
        "vitalsigns", "Patient.name", "FHIR.Patient"}) {
    EXPECT_EQ(FindFhirType(name), types::kNone) << name;
  }
  EXPECT_EQ(FindSystemType("Patient"), types::kNone);
  EXPECT_EQ(FindSystemType(""), types::kNone);
  EXPECT_EQ(TypeName(types::kNone), "");
}

TEST(ModelTest, FindsNamesByText) {
  for (NameId name = 1; name < NameCount(); ++name) {
    EXPECT_EQ(FindName(NameText(name)), name) << NameText(name);
    EXPECT_EQ(FindName(std::string(NameText(name)) + "_"), kNoName) << NameText(name);
  }
  EXPECT_EQ(FindName("valueQuantity"), names::kValueQuantity);
  EXPECT_EQ(FindName("resourceType"), names::kResourceType);
  EXPECT_EQ(FindName("fhirAuthorization"), names::kFhirAuthorization);
  EXPECT_EQ(NameText(kNoName), "");
  const std::string long_name(300, 'a');
  for (const std::string_view name :
       {std::string_view(""), std::string_view("_birthDate"), std::string_view("Value"),
        std::string_view("v"), std::string_view("no such name"), std::string_view("id\0", 3),
        std::string_view("\xC3\xA9"), std::string_view("modifierExtensioM"),
        std::string_view("modifierXxtension"), std::string_view(long_name)}) {
    EXPECT_EQ(FindName(name), kNoName) << name;
  }
}

TEST(ModelTest, ChoiceBases) {
  EXPECT_EQ(ChoiceBase(names::kValueQuantity), names::kValue);
  EXPECT_EQ(ChoiceBase(names::kMedicationReference), names::kMedication);
  EXPECT_EQ(ChoiceBase(names::kValue), kNoName);
  EXPECT_EQ(ChoiceBase(names::kBirthDate), kNoName);
  EXPECT_EQ(ChoiceBase(kNoName), kNoName);
}

TEST(ModelTest, FindBaseGivesAllAlternatives) {
  const Model& r4 = Model::Get(kR4);
  EXPECT_EQ(r4.FindBase(types::kObservation, names::kValue).size(), 11u);
  EXPECT_EQ(r4.FindBase(types::kExtension, names::kValue).size(), 50u);
  EXPECT_EQ(r4.FindBase(types::kMedicationRequest, names::kMedication).size(), 2u);
  EXPECT_EQ(Model::Get(kR5).FindBase(types::kMedicationRequest, names::kMedication).size(), 1u);
  EXPECT_EQ(r4.FindBase(types::kPatient, names::kBirthDate).size(), 1u);
  EXPECT_TRUE(r4.FindBase(types::kPatient, names::kValue).empty());
  EXPECT_TRUE(r4.FindBase(types::kObservation, names::kValueQuantity).empty());
  EXPECT_TRUE(r4.FindBase(types::kLibrary, names::kEffective).empty());
  EXPECT_TRUE(r4.FindBase(types::kObservation, kNoName).empty());
  EXPECT_TRUE(r4.FindBase(types::kNone, names::kValue).empty());
}

// Every table against the plainest reading of the API: nothing but loops over Elements() and Base().
TEST(ModelTest, LookupsAgreeWithTheElements) {
  for (const FhirVersion version : {kR4, kR5}) {
    const Model& model = Model::Get(version);
    for (TypeId type = 0; type < kTypeCount; ++type) {
      const std::span<const Element> elements = model.Elements(type);
      ASSERT_EQ(std::ranges::adjacent_find(elements, std::ranges::greater_equal{}, &Element::name),
                elements.end())
          << TypeName(type);
      for (NameId name = 0; name < NameCount(); ++name) {
        const auto element = std::ranges::find(elements, name, &Element::name);
        ASSERT_EQ(model.Find(type, name), element == elements.end() ? nullptr : &*element);
        const auto of_base = std::ranges::count(elements, name, &Element::base);
        const std::span<const Element> found = model.FindBase(type, name);
        ASSERT_EQ(static_cast<std::ptrdiff_t>(found.size()), of_base)
            << TypeName(type) << "." << NameText(name);
        for (const Element& one : found) ASSERT_EQ(one.base, name);
      }
      for (const Element& element : elements) {
        ASSERT_TRUE(model.Has(element.type));
        ASSERT_EQ(element.is_choice, element.name != element.base);
        if (element.is_choice) {
          ASSERT_EQ(ChoiceBase(element.name), element.base);
        }
      }
    }
  }
}

TEST(ModelTest, IsAAgreesWithBase) {
  for (const FhirVersion version : {kR4, kR5}) {
    const Model& model = Model::Get(version);
    for (TypeId type = 0; type < kTypeCount; ++type) {
      for (TypeId ancestor = 1; ancestor < kTypeCount; ++ancestor) {
        TypeId at = type;
        while (at != ancestor && at != types::kNone) at = model.Base(at);
        ASSERT_EQ(model.IsA(type, ancestor), at == ancestor)
            << TypeName(type) << " is " << TypeName(ancestor);
      }
      if (IsPrimitiveType(type)) {
        EXPECT_EQ(model.Kind(type), TypeKind::kPrimitive);
      }
      if (IsSystemType(type)) {
        EXPECT_TRUE(model.IsA(type, types::kSystemAny));
      }
    }
  }
}

TEST(ModelTest, Versions) {
  for (const std::string_view text : {"4.0.1", "4.0", "R4", "r4"})
    EXPECT_EQ(ParseFhirVersion(text), kR4) << text;
  for (const std::string_view text : {"5.0.0", "5.0", "R5", "r5"})
    EXPECT_EQ(ParseFhirVersion(text), kR5) << text;
  for (const std::string_view text : {"", "3.0.2", "R4B", "4.3.0"})
    EXPECT_FALSE(ParseFhirVersion(text)) << text;
  EXPECT_EQ(FhirVersionText(kR4), "4.0.1");
  EXPECT_EQ(FhirVersionText(kR5), "5.0.0");
}

}  // namespace
}  // namespace stepwise
