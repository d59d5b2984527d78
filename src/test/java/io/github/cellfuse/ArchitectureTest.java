package io.github.cellfuse;

import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.properties.HasName.Predicates.nameMatching;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaClass;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import com.tngtech.archunit.library.dependencies.SliceAssignment;
import com.tngtech.archunit.library.dependencies.SliceIdentifier;
import java.util.ArrayList;
import java.util.List;

/** The one-way arrows between packages: see the picture in {@code docs/design}. */
@AnalyzeClasses(packages = "io.github.cellfuse", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    private static final String ROOT = "io.github.cellfuse", JDK = "java..";

    /** Each package, without those below it, and the packages that it may use besides itself. */
    @ArchTest
    static final ArchRule theApiUsesOnlyTheJdk = only(ROOT, ROOT + ".spi");

    @ArchTest
    static final ArchRule theSpiUsesOnlyTheApi = only(ROOT + ".spi", ROOT, "org.slf4j..", "jdk.jfr..");

    @ArchTest
    static final ArchRule theReferenceUsesOnlyTheApi = only(ROOT + ".reference", ROOT, ROOT + ".spi");

    @ArchTest
    static final ArchRule theJavaEngineUsesOnlyTheApi =
            only(ROOT + ".jvm", ROOT, ROOT + ".spi", "jdk.incubator.vector..", "org.slf4j..");

    @ArchTest
    static final ArchRule clKnowsNothingOfLstms = only(ROOT + ".cl", ROOT, ROOT + ".spi", "org.jocl..", "org.slf4j..");

    /** The Java engine is there for the opening self-test. */
    @ArchTest
    static final ArchRule openClBuildsOnClAndTheJavaEngine =
            only(ROOT + ".opencl..", ROOT, ROOT + ".spi", ROOT + ".cl", ROOT + ".jvm", "org.slf4j..");

    @ArchTest
    static final ArchRule formatsAndOnnxKnowNoDevice = noClasses()
            .that()
            .resideInAnyPackage(ROOT + ".format..", ROOT + ".onnx..")
            .should()
            .dependOnClassesThat()
            .resideInAnyPackage(
                    ROOT + ".opencl..",
                    ROOT + ".cl",
                    ROOT + ".jvm",
                    ROOT + ".reference",
                    ROOT + ".batch",
                    ROOT + ".verify");

    @ArchTest
    static final ArchRule nothingUsesTheCommandLine = noClasses()
            .that()
            .resideOutsideOfPackage(ROOT + ".cli..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage(ROOT + ".cli..");

    /** A library and the only package that uses it. */
    @ArchTest
    static final ArchRule onlyClUsesJocl = onlyIn("org.jocl..", ROOT + ".cl");

    @ArchTest
    static final ArchRule onlyOnnxUsesProtobuf = onlyIn("com.google.protobuf..", ROOT + ".onnx..");

    @ArchTest
    static final ArchRule onlyKerasReadsHdf5 = onlyIn("io.jhdf..", ROOT + ".format.keras");

    @ArchTest
    static final ArchRule onlyArrowReadsFlatBuffers = onlyIn("org.apache.arrow..", ROOT + ".format.arrow");

    /** Programs that embed the library don't have the command line's dependencies. */
    @ArchTest
    static final ArchRule onlyTheCommandLineUsesPicocli = onlyIn("picocli..", ROOT + ".cli..");

    @ArchTest
    static final ArchRule onlyTheCommandLineUsesTheProgressBar = onlyIn("me.tongfei..", ROOT + ".cli..");

    /**
     * ONNX Runtime and the vector module are optional: a class that names their classes can't be loaded without them.
     */
    @ArchTest
    static final ArchRule onlyTheOrtClassesNeedOnnxRuntime =
            onlyClasses(".*\\.onnx\\.graph\\.Ort[A-Z][^.]*", resideInAPackage("ai.onnxruntime.."));

    @ArchTest
    static final ArchRule onlyTheVectorClassesNeedTheVectorModule = onlyClasses(
            ".*\\.jvm\\.Vector[^.]*", resideInAPackage("jdk.incubator..").or(nameMatching(".*\\.jvm\\.Vector[^.]*")));

    /** Every package is a slice of its own, but for the commands, which share the root of the command line. */
    @ArchTest
    static final ArchRule noCycles = slices().assignedFrom(new SliceAssignment() {
                @Override
                public SliceIdentifier getIdentifierOf(JavaClass type) {
                    String name = type.getPackageName();
                    boolean isApi = name.equals(ROOT) || name.equals(ROOT + ".spi");
                    return isApi || !name.startsWith(ROOT)
                            ? SliceIdentifier.ignore()
                            : SliceIdentifier.of(name.startsWith(ROOT + ".cli") ? ROOT + ".cli" : name);
                }

                @Override
                public String getDescription() {
                    return "packages";
                }
            })
            .should()
            .beFreeOfCycles();

    /** Classes of {@code module} use the JDK, {@code others}, and each other. */
    private static ArchRule only(String module, String... others) {
        List<String> allowed = new ArrayList<>(List.of(others));
        allowed.add(module);
        allowed.add(JDK);
        return classes()
                .that()
                .resideInAPackage(module)
                .should()
                .onlyDependOnClassesThat()
                .resideInAnyPackage(allowed.toArray(String[]::new));
    }

    private static ArchRule onlyIn(String library, String module) {
        return noClasses()
                .that()
                .resideOutsideOfPackage(module)
                .should()
                .dependOnClassesThat()
                .resideInAPackage(library);
    }

    private static ArchRule onlyClasses(String name, DescribedPredicate<? super JavaClass> library) {
        return noClasses().that().haveNameNotMatching(name).should().dependOnClassesThat(library);
    }
}
