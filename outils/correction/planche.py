"""L'enfant du vérificateur, qui rend en plus les figures d'une section, jouée avec les réglages de l'élève."""

import base64
import io
import sys

from verification import enfant

play_section = enfant.play


def play(module, section):
    """Joue une section ; rend ses figures, des PNG en base 64."""
    import matplotlib.pyplot as plt

    play_section(module, section)
    images = []
    for number in plt.get_fignums():
        file = io.BytesIO()
        plt.figure(number).savefig(file, format="png", dpi=50)
        images.append(base64.b64encode(file.getvalue()).decode())
    return {"images": images}


if __name__ == "__main__":
    enfant.play = play
    vars(sys.modules[f"verification.{sys.argv[2]}"]).pop("SMALL", None)  # les réglages courts du vérificateur
    enfant.main()
