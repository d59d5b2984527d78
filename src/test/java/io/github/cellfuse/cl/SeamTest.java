package io.github.cellfuse.cl;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;

import com.tngtech.archunit.base.DescribedPredicate;
import com.tngtech.archunit.core.domain.JavaCall;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;
import org.jocl.CL;

/** One seam: JOCL stays in this package, and only {@code Cl} calls OpenCL. */
@AnalyzeClasses(packages = "io.github.cellfuse", importOptions = ImportOption.DoNotIncludeTests.class)
class SeamTest {
    @ArchTest
    static final ArchRule joclStaysInThisPackage = noClasses()
            .that()
            .resideOutsideOfPackage("io.github.cellfuse.cl..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("org.jocl..");

    @ArchTest
    static final ArchRule onlyTheSeamCallsOpenCl = noClasses()
            .that()
            .doNotBelongToAnyOf(Cl.class)
            .should()
            .callMethodWhere(new DescribedPredicate<JavaCall<?>>("an OpenCL function is called") {
                @Override
                public boolean test(JavaCall<?> call) {
                    return call.getTargetOwner().isEquivalentTo(CL.class)
                            && call.getName().matches("cl[A-Z].*");
                }
            });

    @ArchTest
    static final ArchRule nobodyTouchesJoclsProcessWideSwitch =
            noClasses().should().callMethod(CL.class, "setExceptionsEnabled", boolean.class);

    @ArchTest
    static final ArchRule thisPackageKnowsNothingOfLstms = noClasses()
            .that()
            .resideInAPackage("io.github.cellfuse.cl..")
            .should()
            .dependOnClassesThat()
            .haveNameMatching("io\\.github\\.cellfuse\\."
                    + "(?!cl\\.|CellFuseException|InvalidInputException|spi\\.DropWatch).*");
}
