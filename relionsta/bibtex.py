"""
@article{Burt2024,
 title = {An image processing pipeline for electron cryo-tomography in RELION-5},
 author = {Burt, Alister and Toader, Bogdan and Warshamanage, Rangana and von Kügelgen, Andriko and Pyle, Euan and Zivanov, Jasenko and Kimanius, Dari and Bharat, Tanmay A. M. and Scheres, Sjors H. W.},
 journal = {FEBS Open Bio},
 volume = {14},
 number = {11},
 pages = {1788--1804},
 year = {2024},
 doi = {10.1002/2211-5463.13873},
 url = {https://doi.org/10.1002/2211-5463.13873}
}

@article{Zivanov2022,
 title = {A Bayesian approach to single-particle electron cryo-tomography in RELION-4.0},
 author = {Zivanov, Jasenko and Otón, Joaquín and Ke, Zunlong and von Kügelgen, Andriko and Pyle, Euan and Qu, Kun and Morado, Dustin and Castaño-Díez, Daniel and Zanetti, Giulia and Bharat, Tanmay A. M. and Briggs, John A. G. and Scheres, Sjors H. W.},
 journal = {eLife},
 volume = {11},
 pages = {e83724},
 year = {2022},
 doi = {10.7554/eLife.83724},
 url = {https://doi.org/10.7554/eLife.83724}
}

@article{Scheres2012,
 title = {A Bayesian view on cryo-EM structure determination},
 author = {Scheres, Sjors H. W.},
 journal = {Journal of Molecular Biology},
 volume = {415},
 number = {2},
 pages = {406--418},
 year = {2012},
 doi = {10.1016/j.jmb.2011.11.010},
 url = {https://doi.org/10.1016/j.jmb.2011.11.010}
}

@article{Chen2013,
 title = {High-resolution noise substitution to measure overfitting and validate resolution in 3D structure determination by single particle electron cryomicroscopy},
 author = {Chen, Shaoxia and McMullan, Greg and Faruqi, Abdul R. and Murshudov, Garib N. and Short, Judith M. and Scheres, Sjors H. W. and Henderson, Richard},
 journal = {Ultramicroscopy},
 volume = {135},
 pages = {24--35},
 year = {2013},
 doi = {10.1016/j.ultramic.2013.06.004},
 url = {https://doi.org/10.1016/j.ultramic.2013.06.004}
}

@article{Kremer1996,
 title = {Computer visualization of three-dimensional image data using IMOD},
 author = {Kremer, James R. and Mastronarde, David N. and McIntosh, J. Richard},
 journal = {Journal of Structural Biology},
 volume = {116},
 number = {1},
 pages = {71--76},
 year = {1996},
 doi = {10.1006/jsbi.1996.0013},
 url = {https://doi.org/10.1006/jsbi.1996.0013}
}

@article{Peck2025,
 title = {AreTomoLive: Automated reconstruction of comprehensively-corrected and denoised cryo-electron tomograms in real-time and at high throughput},
 author = {Peck, Ariana and Yu, Yue and Paraan, Mohammadreza and Kimanius, Dari and Ermel, Utz H. and Hutchings, Joshua and Serwas, Daniel and Siems, Hannah and Hill, Norbert S. and Ali, Mallak and Peukes, Julia and Greenan, Garrett A. and Sheu, Shu-Hsien and Montabana, Elizabeth A. and Carragher, Bridget and Potter, Clinton S. and Agard, David A. and Zheng, Shawn},
 journal = {bioRxiv},
 year = {2025},
 doi = {10.1101/2025.03.11.642690},
 url = {https://doi.org/10.1101/2025.03.11.642690}
}

@article{Chaillet2023,
 title = {Extensive Angular Sampling Enables the Sensitive Localization of Macromolecules in Electron Tomograms},
 author = {Chaillet, Marten L. and van der Schot, Gijs and Gubins, Ilja and Roet, Sander and Veltkamp, Remco C. and Förster, Friedrich},
 journal = {International Journal of Molecular Sciences},
 volume = {24},
 number = {17},
 pages = {13375},
 year = {2023},
 doi = {10.3390/ijms241713375},
 url = {https://doi.org/10.3390/ijms241713375}
}

@article{Nakane2018,
 title = {Characterisation of molecular motions in cryo-EM single-particle data by multi-body refinement in RELION},
 author = {Nakane, Takanori and Kimanius, Dari and Lindahl, Erik and Scheres, Sjors H. W.},
 journal = {eLife},
 volume = {7},
 pages = {e36861},
 year = {2018},
 doi = {10.7554/eLife.36861},
 url = {https://doi.org/10.7554/eLife.36861}
}

@article{Bai2015,
 title = {Sampling the conformational space of the catalytic subunit of human gamma-secretase},
 author = {Bai, Xiao-chen and Rajendra, Eeson and Yang, Guanghui and Shi, Yigong and Scheres, Sjors H. W.},
 journal = {eLife},
 volume = {4},
 pages = {e11182},
 year = {2015},
 doi = {10.7554/eLife.11182},
 url = {https://doi.org/10.7554/eLife.11182}
}
"""
