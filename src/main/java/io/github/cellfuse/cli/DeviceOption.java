package io.github.cellfuse.cli;

import io.github.cellfuse.AutoDevice;
import io.github.cellfuse.Device;
import io.github.cellfuse.DeviceInfo;
import io.github.cellfuse.EngineOptions;
import io.github.cellfuse.InvalidInputException;
import io.github.cellfuse.LstmEngine;
import io.github.cellfuse.LstmModel;
import io.github.cellfuse.Plan;
import io.github.cellfuse.WeightPrecision;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Collectors;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Option;

/**
 * The options that select the device and how it computes; a mixin of every command that computes. Only
 * {@code --weights} changes bits.
 */
public final class DeviceOption {
    private static final String AUTO = "auto";

    @Option(
            names = "--device",
            paramLabel = "DEVICE",
            defaultValue = AUTO,
            completionCandidates = CompletedValues.Devices.class,
            description = "The device: auto, java, reference, opencl, opencl:P or opencl:P.D (device D of platform P;"
                    + " 'cellfuse devices' lists them). Default: ${DEFAULT-VALUE}, which chooses a GPU, or"
                    + " else another exact OpenCL device, or else java. A named device is never replaced by"
                    + " another one.")
    private String name = AUTO;

    @Option(
            names = "--plan",
            paramLabel = "PLAN",
            completionCandidates = CompletedValues.Plans.class,
            description =
                    "Force the plan of an OpenCL device: separate, fused, hoisted or sequence. It affects only the"
                            + " speed.")
    private Plan plan;

    @Option(
            names = "--threads",
            paramLabel = "N",
            description = "Worker threads of the java and reference devices. Default: one for each core.")
    private int threads;

    @Mixin
    private WeightsOption weights = new WeightsOption();

    /**
     * A chosen device.
     *
     * @param device the device
     * @param reason one line that says why it was chosen
     */
    public record Choice(Device device, String reason) {}

    /**
     * An engine on the chosen device.
     *
     * @param engine the open engine; the caller closes it
     * @param reason one line that says why its device was chosen
     */
    public record Opened(LstmEngine engine, String reason) {
        /** Returns the engine's device with the reason. */
        public Choice choice() {
            return new Choice(engine.device(), reason);
        }
    }

    /** Opens {@code model} on the selected device, and says why this device was selected. */
    public Opened open(LstmModel model) {
        if (!isAuto()) {
            Choice choice = new Choice(named(), "selected by --device");
            return new Opened(open(choice, model), choice.reason());
        }
        checkPlan(Device.auto().device());
        AutoDevice auto = AutoDevice.open(model, options());
        try {
            checkPlan(auto.device());
        } catch (InvalidInputException e) {
            auto.engine().close();
            throw new InvalidInputException(e.getMessage() + ": " + auto.reason(), e);
        }
        return new Opened(auto.engine(), auto.reason());
    }

    /**
     * Returns the device that {@link #open(LstmModel)} selects, for a command that opens several models on one device.
     */
    public Choice settle(LstmModel model) {
        Opened opened = open(model);
        Choice choice = opened.choice();
        opened.engine().close();
        return choice;
    }

    /** Opens {@code model} on a device that was already selected. */
    public LstmEngine open(Choice choice, LstmModel model) {
        checkPlan(choice.device());
        return LstmEngine.open(choice.device(), model, options());
    }

    /** Returns the arguments that select the same device and the same way of computing. */
    public List<String> arguments(Device device) {
        List<String> arguments = new ArrayList<>(List.of("--device", device.toString()));
        if (plan != null) {
            arguments.addAll(List.of("--plan", plan.name().toLowerCase(Locale.ROOT)));
        }
        if (threads > 0) {
            arguments.addAll(List.of("--threads", Integer.toString(threads)));
        }
        if (weights.precision() != WeightPrecision.F32) {
            arguments.addAll(List.of("--weights", weights.precision().toString()));
        }
        return arguments;
    }

    /** Returns the precision in which the weights are stored. */
    public WeightPrecision weights() {
        return weights.precision();
    }

    private EngineOptions options() {
        return new EngineOptions(Optional.ofNullable(plan), threads, weights.precision(), Optional.empty());
    }

    private boolean isAuto() {
        return name.trim().equalsIgnoreCase(AUTO);
    }

    private void checkPlan(Device device) {
        if (plan != null && !(device instanceof Device.OpenCl)) {
            throw new InvalidInputException("--plan applies to OpenCL devices only, not to " + device);
        }
    }

    private Device named() {
        try {
            return Device.parse(name);
        } catch (InvalidInputException e) {
            throw new InvalidInputException("--" + e.getMessage() + "; available devices: auto, " + present(), e);
        }
    }

    private static String present() {
        return Device.all().stream()
                .map(DeviceInfo::device)
                .map(Device::toString)
                .collect(Collectors.joining(", "));
    }
}
