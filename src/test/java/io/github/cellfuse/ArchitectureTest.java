package io.github.cellfuse;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** The house's one-way arrows: cli -> {batch, verify, bench, audit, format, graph} -> {opencl, java, reference} -> root, opencl -> cl. */
@AnalyzeClasses(packages = "io.github.cellfuse", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    private static final String ROOT = "io.github.cellfuse", JDK = "java..";

    @ArchTest
    static final ArchRule theApiKnowsOnlyTheJdk = classes()
            .that()
            .resideInAPackage(ROOT)
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(ROOT, JDK);

    @ArchTest
    static final ArchRule theReferenceKnowsOnlyTheApi = classes()
            .that()
            .resideInAPackage(ROOT + ".reference")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(ROOT, ROOT + ".reference", JDK);

    @ArchTest
    static final ArchRule theTwinKnowsOnlyTheApi = classes()
            .that()
            .resideInAPackage(ROOT + ".java")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(ROOT, ROOT + ".java", JDK, "jdk.incubator.vector..", "org.slf4j..");

    /** A JVM without the module never meets its classes: what needs them is loaded by name. */
    @ArchTest
    static final ArchRule onlyTheVectorClassesNeedTheModule = noClasses()
            .that()
            .haveNameNotMatching(".*\\.java\\.Vector[^.]*")
            .should()
            .dependOnClassesThat(resideInAPackage("jdk.incubator..").or(nameMatching(".*\\.java\\.Vector[^.]*")));

    @ArchTest
    static final ArchRule onlyClImportsJocl = noClasses()
            .that()
            .resideOutsideOfPackage(ROOT + ".cl")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.jocl..");

    @ArchTest
    static final ArchRule clKnowsNothingOfLstm = classes()
            .that()
            .resideInAPackage(ROOT + ".cl")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(ROOT, ROOT + ".cl", JDK, "org.jocl..", "org.slf4j..");

    /** The twin is there for the opening self-test. */
    @ArchTest
    static final ArchRule openclBuildsOnClAndTheTwin = classes()
            .that()
            .resideInAPackage(ROOT + ".opencl")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(ROOT, ROOT + ".opencl", ROOT + ".cl", ROOT + ".java", JDK, "org.slf4j..");

    @ArchTest
    static final ArchRule formatsKnowNoDevice = noClasses()
            .that()
            .resideInAPackage(ROOT + ".format..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    ROOT + ".opencl",
                    ROOT + ".cl",
                    ROOT + ".java",
                    ROOT + ".reference",
                    ROOT + ".batch",
                    ROOT + ".verify",
                    ROOT + ".graph",
                    "ai.onnxruntime..");

    /** The schema's generated classes are what files and graphs are made of, and no others see them. */
    @ArchTest
    static final ArchRule onlyFilesAndGraphsKnowProtobuf = noClasses()
            .that()
            .resideOutsideOfPackages(ROOT + ".format.onnx", ROOT + ".graph")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("com.google.protobuf..");

    @ArchTest
    static final ArchRule onlyKerasReadsHdf5 = noClasses()
            .that()
            .resideOutsideOfPackage(ROOT + ".format.keras")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("io.jhdf..");

    @ArchTest
    static final ArchRule theAuditKnowsTheKernelsAlone = classes()
            .that()
            .resideInAPackage(ROOT + ".audit")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(ROOT, ROOT + ".audit", ROOT + ".opencl", JDK, "com.google.gson..");

    @ArchTest
    static final ArchRule graphsAreMadeOfFilesAndTheApi = classes()
            .that()
            .resideInAPackage(ROOT + ".graph")
            .should()
            .onlyDependOnClassesThat()
            .resideInAnyPackage(
                    ROOT, ROOT + ".graph", ROOT + ".format..", JDK, "com.google.protobuf..", "ai.onnxruntime..");

    /** ONNX Runtime is optional: a class that names its classes can't be loaded without them. */
    @ArchTest
    static final ArchRule onlyTheOrtClassesNeedOnnxRuntime = noClasses()
            .that()
            .haveNameNotMatching(".*\\.graph\\.Ort[A-Z][^.]*")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("ai.onnxruntime..");

    @ArchTest
    static final ArchRule nothingImportsTheCommandLine = noClasses()
            .that()
            .resideOutsideOfPackage(ROOT + ".cli")
            .should()
            .dependOnClassesThat()
            .resideInAPackage(ROOT + ".cli");

    @ArchTest
    static final ArchRule noCycles = slices().matching(ROOT + ".(*)..").should().beFreeOfCycles();
}
