"""The one list of models: files, sizes, checksums, sources in the order in which they are tried, licences."""

from __future__ import annotations

from avatalk.models.kinds import Archive, Drive, Form, Hub, Model, ModelFile, Patience, Source, Web, Wheel

__all__ = [
    "MODELS",
    "Archive",
    "Drive",
    "Form",
    "Hub",
    "Model",
    "ModelFile",
    "Patience",
    "Source",
    "Web",
    "Wheel",
]

FACE_DETECTOR = "face_detection_full_range_sparse.tflite"
FACE_MESH = "face_landmark_with_attention.tflite"
SELFIE = "selfie_segmentation.tflite"
WAV2LIP = "wav2lip.pth"
WAV2LIP_GAN = "wav2lip_gan.pth"
S3FD = "s3fd-619a316812.pth"
DEEPLAB = "xception_pascalvoc.pb"
CJK = "NotoSansCJK-Regular.ttc"

_WAV2LIP_LICENCE = "Wav2Lip weights, non-commercial"
_WAV2LIP_TERMS = (
    "The weights of Wav2Lip and of the face detector that goes with it are for research and personal use"
    " only, not for commercial use; see https://github.com/Rudrabha/Wav2Lip."
)
_WAV2LIP_MIRRORS = (
    Web("https://huggingface.co/camenduru/Wav2Lip/resolve/main/checkpoints/"),
    Web("https://huggingface.co/numz/wav2lip_studio/resolve/main/Wav2lip/"),
    Web("https://huggingface.co/Nekochu/Wav2Lip/resolve/main/"),
    Web("https://github.com/Amaris-AI-MCQAI/avatarai/releases/download/1.0.0/"),
)

_ALL = (
    Model(
        name="face",
        title="MediaPipe face detector (full range) and attention mesh",
        stage="face",
        engine="mediapipe",
        licence="Apache-2.0",
        commercial=True,
        files=(
            ModelFile(
                FACE_DETECTOR,
                676746,
                "2c3728e6da56f21e21a320433396fb06d40d9088f2247c05e5635a688d45dfe1",
                f"mediapipe/modules/face_detection/{FACE_DETECTOR}",
            ),
            ModelFile(
                FACE_MESH,
                2495106,
                "e06a804e0144f9929eda782122916b35d60c697c3c9344013ca2bbe76a6ce2b4",
                f"mediapipe/modules/face_landmark/{FACE_MESH}",
            ),
        ),
        sources=(
            Wheel("mediapipe==0.10.21", 35_622_638, "3.11", "manylinux_2_28_x86_64"),
            Web("https://storage.googleapis.com/mediapipe-assets/"),
        ),
    ),
    Model(
        name="selfie",
        title="MediaPipe selfie segmentation: persons before any background",
        stage="compose",
        engine="selfie",
        licence="Apache-2.0",
        commercial=True,
        files=(
            ModelFile(
                SELFIE,
                249505,
                "9ee168ec7c8f2a16c56fe8e1cfbc514974cbbb7e434051b455635f1bd1462f5c",
                f"mediapipe/modules/selfie_segmentation/{SELFIE}",
            ),
        ),
        sources=(
            Wheel("mediapipe==0.10.21", 35_622_638, "3.11", "manylinux_2_28_x86_64"),
            Web("https://storage.googleapis.com/mediapipe-assets/"),
        ),
    ),
    Model(
        name="deeplab",
        title="DeepLabV3+ Xception for Pascal VOC (PixelLib): persons before any background",
        stage="compose",
        engine="deeplab",
        licence="MIT",
        commercial=True,
        # Nobody has published a checksum.
        files=(ModelFile(DEEPLAB, 0, "", aka=("frozen_inference_graph.pb",)),),
        sources=(
            Web("https://github.com/ayoolaolafenwa/PixelLib/releases/download/1.1/"),
            Web("https://github.com/Amaris-AI-MCQAI/avatarai/releases/download/1.0.0/"),
        ),
        check="avatalk.compose.deeplab:check",
    ),
    Model(
        name="wav2lip",
        title="Wav2Lip",
        stage="lipsync",
        engine="wav2lip",
        licence=_WAV2LIP_LICENCE,
        commercial=False,
        files=(
            ModelFile(
                WAV2LIP,
                435807851,
                "b78b681b68ad9fe6c6fb1debc6ff43ad05834a8af8a62ffc4167b7b34ef63c37",
                others=(
                    Form(
                        0,
                        "dc5b324a04a0e5b150a97422b68b79859e993e1fc1a3b4b87e2fd4a07cfd2e7a",
                        "the authors' TorchScript archive Wav2Lip-SD-NOGAN.pt",
                    ),
                ),
                network="avatalk.lipsync.wav2lip_net:Wav2LipNet",
                kind="wav2lip",
                convert="avatalk.lipsync.wav2lip_networks:convert",
            ),
        ),
        sources=(*_WAV2LIP_MIRRORS, Drive("1qKU8HG8dR4nW4LvCqpEYmSy6LLpVkZ21")),
        terms=_WAV2LIP_TERMS,
    ),
    Model(
        name="wav2lip-gan",
        title="Wav2Lip-GAN: sharper, less exact lips",
        stage="lipsync",
        engine="wav2lip-gan",
        licence=_WAV2LIP_LICENCE,
        commercial=False,
        files=(
            ModelFile(
                WAV2LIP_GAN,
                435801865,
                "ca9ab7b7b812c0e80a6e70a5977c545a1e8a365a6c49d5e533023c034d7ac3d8",
                others=(
                    Form(
                        145829145,
                        "180cfd49d31d47f195d5bfc62830ffe2c40724b7bbbce6faadc73ac6ab1a3b8e",
                        "the authors' TorchScript archive Wav2Lip-SD-GAN.pt",
                    ),
                ),
                network="avatalk.lipsync.wav2lip_net:Wav2LipNet",
                kind="wav2lip",
                convert="avatalk.lipsync.wav2lip_networks:convert",
            ),
        ),
        sources=(*_WAV2LIP_MIRRORS, Drive("15G3U08c8xsCkOqQxE38Z2XXDnPcOptNk")),
        terms=_WAV2LIP_TERMS,
    ),
    Model(
        name="s3fd",
        title="S3FD face detector, as Wav2Lip uses it",
        stage="face",
        engine="s3fd",
        licence=_WAV2LIP_LICENCE,
        commercial=False,
        files=(
            ModelFile(
                S3FD,
                89843225,
                "619a31681264d3f7f7fc7a16a42cbbe8b23f31a256f75a366e5a1bcd59b33543",
                network="avatalk.faces.s3fd_net:S3fdNet",
                kind="s3fd",
                convert="avatalk.faces.s3fd:convert",
            ),
        ),
        sources=(
            Web("https://www.adrianbulat.com/downloads/python-fan/"),
            Web(
                "https://huggingface.co/camenduru/Wav2Lip/resolve/main/face_detection/detection/sfd/",
                "s3fd.pth",
            ),
            Web("https://huggingface.co/vinthony/SadTalker/resolve/main/hub/checkpoints/"),
        ),
        terms=_WAV2LIP_TERMS,
    ),
    Model(
        name="font-cjk",
        title="Noto Sans CJK: Chinese, Japanese and Korean letters for burned captions",
        stage="compose",
        engine="captions",
        licence="OFL-1.1",
        commercial=True,
        files=(
            ModelFile(
                CJK,
                19484784,
                "b76b0433203017ca80401b2ee0dd69350349871c4b19d504c34dbdd80541690a",
                f"noto_cjk_sans_otc/{CJK}",
            ),
        ),
        sources=(
            Wheel("noto-cjk-sans-otc==0.0.1", 15_521_948, "3.11", "any"),
            Web("https://raw.githubusercontent.com/notofonts/noto-cjk/Sans2.004/Sans/OTC/"),
        ),
    ),
    Model(
        name="yourtts",
        title="YourTTS: clones voices, in English, French and Portuguese",
        stage="speech",
        engine="yourtts",
        licence="CC-BY-NC-ND-4.0",
        commercial=False,
        files=(
            ModelFile("config.json", 0, ""),
            ModelFile(
                "model_file.pth",
                0,
                "",
                aka=("model_file.pth.tar", "best_model.pth"),
                convert="avatalk.speech.coqui:convert",
            ),
            ModelFile("speakers.json", 0, ""),
            ModelFile("language_ids.json", 0, ""),
            ModelFile("config_se.json", 0, ""),
            ModelFile("model_se.pth", 0, "", aka=("model_se.pth.tar",)),
        ),
        sources=(
            Archive(
                "https://github.com/coqui-ai/TTS/releases/download/v0.10.1_models/",
                "tts_models--multilingual--multi-dataset--your_tts.zip",
            ),
        ),
        terms="The weights of YourTTS (CC BY-NC-ND 4.0) are not for commercial use, and not to be passed on"
        " in a changed form; see https://creativecommons.org/licenses/by-nc-nd/4.0/.",
        check="avatalk.speech.coqui_vits:check",
    ),
    Model(
        name="xtts",
        title="XTTS v2: clones voices, in 17 languages",
        stage="speech",
        engine="xtts",
        licence="Coqui Public Model License 1.0.0, non-commercial",
        commercial=False,
        files=(
            ModelFile(
                "config.json", 4368, "ef262b1454dd2a77e1461b0b2cd53e19b8a7624cc131b837d36df67356bc75e8"
            ),
            ModelFile(
                "model.pth", 1867929118, "c7ea20001c6a0a841c77e252d8409f6a74fb423e79b3206a0771ba5989776187"
            ),
            ModelFile(
                "vocab.json", 361219, "928260878a59da8a72a2a5b7687fea29d5106137669d90945430fe17e415304a"
            ),
            ModelFile(
                "speakers_xtts.pth",
                7754818,
                "f0f6137c19a4eab0cbbe4c99b5babacf68b1746e50da90807708c10e645b943b",
            ),
        ),
        sources=(
            Web("https://huggingface.co/coqui/XTTS-v2/resolve/main/"),
            Web("https://huggingface.co/tts-hub/XTTS-v2/resolve/main/"),
        ),
        terms="XTTS v2 and the speech it makes are not for commercial use (Coqui Public Model License 1.0.0);"
        " see https://huggingface.co/coqui/XTTS-v2/blob/main/LICENSE.txt.",
        check="avatalk.speech.coqui_xtts:check",
    ),
)

MODELS: dict[str, Model] = {model.name: model for model in _ALL}
